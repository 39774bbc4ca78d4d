"""A detector with scikit-learn's verbs, over the run folder that training writes."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.api.data import Manifest, PathLike, as_path, require_manifest
from kerasfaces.api.inputs import Images, as_files, as_sources
from kerasfaces.api.result import Result
from kerasfaces.core.errors import InputError
from kerasfaces.core.progress import progress
from kerasfaces.core.texts import quoted
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.train import detectors
from kerasfaces.train.settings import DetectorSettings

if TYPE_CHECKING:
    import keras

    from kerasfaces.api.laundering import LaunderingMatrix
    from kerasfaces.serve.exported import ExportedDetector

logger = logging.getLogger(__name__)


class Detector:
    """A detector of generated faces: configured, trained once, used everywhere.

    Attributes:
        settings: The model and what was said about it; `settings.configuration()` is all
            of its training.

    Example:
        >>> import kerasfaces as kf  # doctest: +SKIP
        >>> detector = kf.Detector("mobilenetv2").fit(kf.load_sample())  # doctest: +SKIP
        >>> detector.predict("photo.jpg")  # doctest: +SKIP
    """

    def __init__(
        self,
        name: str | None = None,
        /,
        *,
        weights: PathLike | None = None,
        preset: str | None = None,
        store: PathLike | None = None,
        **config: Any,
    ) -> None:
        """Choose a model and its settings; nothing is loaded or trained yet.

        Args:
            name: A name of `kerasfaces.list_models()`; by default `lnp_attention` where a
                store is given, else `mobilenetv2`.
            weights: `forensic` (our own small base), `imagenet` or `published` (what the
                base's authors publish), `none` (train the whole network), a file, or for
                transformers a folder or an address (`hf://OWNER/NAME`, `kaggle://...`); by
                default `forensic` on the built-in sample, `none` where everything is
                trained, else the published ones.
            preset: A published configuration, e.g. `kabber2023`.
            store: A channel store to train on instead of pixels.
            **config: Fields of the training configuration: `epochs=20`, `seed=1`,
                `views=4`; fields of a part as `model={"size_px": 160}` or
                `model__size_px=160`.

        Raises:
            InputError: An unknown model, preset or field (the message says which is
                near), or a value that the field cannot hold.
        """
        if isinstance(config.get("model"), str):  # Detector(model="resnet50")
            if name is not None:
                raise InputError(
                    f"model: {quoted(config['model'])}, and the name is {quoted(name)}; give "
                    "one of them."
                )
            name = config.pop("model")
        self.settings = DetectorSettings(
            model=name,
            weights=None if weights is None else os.fspath(weights),
            preset=preset,
            store=as_path(store),
            changes=config,
        )
        self.settings.configuration()
        self._folder: Path | None = None

    def fit(
        self,
        data: Manifest,
        *,
        output: PathLike | None = None,
        tensorboard: bool = False,
        devices: str = "",
        protocol: Literal["standard", "unseen"] = "standard",
    ) -> Self:
        """Train on the train split, choose everything on val, measure on test.

        The run folder is written as `kerasfaces train` writes it. A finished run is found
        again, not repeated; an interrupted one continues.

        Args:
            data: Images; without splits they are split 5:1:1 inside the run folder.
            output: The run folder; by default `runs/<model>-<hash of settings and data>`.
            tensorboard: Write TensorBoard logs into the run.
            devices: What trains a network end to end: `all`, or names separated by commas
                (`gpu:0,gpu:1`), which share each batch; by default what
                `KERASFACES_DEVICES` says, else the first.
            protocol: `unseen` prepares for generators that are in no training image:
                laundered views, layers and penalty of the head, threshold and unsure band
                chosen by heads that each had not seen one family of fakes. `unseen` and
                the report say what the detector would have done on each.

        Returns:
            This detector.

        Raises:
            InputError: The data cannot be trained on.
            MissingFileError: Weights are not there and cannot be downloaded.
            RunError: The folder holds a run of other settings or data.
        """
        from kerasfaces.train.run import Training, train

        require_manifest(data)
        settings = self.settings
        if protocol != "standard":
            settings = dataclasses.replace(settings, protocol=protocol)
        training = Training.of(
            settings,
            data.manifest,
            on_sample=data.is_sample,
            folder=as_path(output),
            tensorboard=tensorboard,
            notes=data.notes,
            devices=devices,
        )
        return self._opened(train(training))

    def add(
        self,
        data: Manifest,
        *,
        output: PathLike | None = None,
        weights: PathLike | None = None,
        store: PathLike | None = None,
    ) -> Self:
        """Train again with this detector's images and new ones, e.g. of one more generator.

        Settings and the splits of the old images stay; features of the old images come
        from the cache. The report says what each old family of fakes lost or gained, on
        the same test images.

        Args:
            data: The new images; without splits they are split as the old ones are.
            output: The new run folder; by default `runs/<model>-<hash>`.
            weights: Base weights, where this detector's came from a file.
            store: A channel store with all images, where this detector was trained on one.

        Returns:
            Another detector; this one stays as it is.

        Raises:
            InputError: The images contradict the old ones, or the weights are others.
        """
        from kerasfaces.train import add, run

        require_manifest(data)
        training = add.training_of(
            self.folder,
            data.manifest,
            name=data.name,
            weights=None if weights is None else os.fspath(weights),
            store=as_path(store),
            output=as_path(output),
            notes=data.notes,
        )
        return type(self).load(run.train(training))

    @classmethod
    def load(cls, run: PathLike) -> Self:
        """Open a finished run folder, made here or by `kerasfaces train`.

        Args:
            run: The folder, or the address of a published one: `hf://OWNER/NAME`, or
                `hf://OWNER/NAME@REVISION`, a branch, tag or commit. Its files are compared
                with the hashes that were published, and no code of it is executed.

        Raises:
            MissingFileError: There is no such folder, or no finished run in it.
            RunError: It is damaged.
            InputError: It holds something else, such as an ensemble or a study.
        """
        from kerasfaces.serve.publish import fetch

        folder = fetch.local(run)
        config = DetectorRun.open(folder).config  # says what else it is
        detector = cls.__new__(cls)
        detector.settings = DetectorSettings(model=config["train"]["model"]["name"])
        return detector._opened(folder)

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.settings.name

    @property
    def folder(self) -> Path:
        """Return the run folder.

        Raises:
            InputError: The detector is not trained.
        """
        if self._folder is None:
            raise InputError(
                f"This detector ({self.name}) is not trained; call fit(data) first, or "
                "open a run with kerasfaces.load_run(folder)."
            )
        return self._folder

    @property
    def point(self) -> OperatingPoint:
        """Return calibration, threshold and unsure band, frozen on validation."""
        return DetectorRun.open(self.folder).operating_point

    @property
    def unseen(self) -> pd.DataFrame:
        """Return what the detector would do on each family of fakes, had it not seen it.

        One row per family and split (`val`, `test`): `n_fake`, `n_real`, and `auc`, `low`,
        `high`, `recall`, `tpr_at_fpr_1pct`, `unsure_fake` by the head without the family.

        Raises:
            InputError: The detector was not trained with `fit(data, protocol="unseen")`.
        """
        from kerasfaces.evaluate.unseen import as_table, read

        content = read(DetectorRun.open(self.folder))
        if not content:
            raise InputError(
                f"{self.folder}: no family was left out; train with "
                "`fit(data, protocol='unseen')`."
            )
        return as_table(content)

    @property
    def model(self) -> keras.Model:
        """Return the trained network: pixels 0..255 `(n, s, s, 3)` in, logits `(n, 1)` out.

        Raises:
            InputError: A baseline such as hog_svm has no network.
        """
        return self._network

    def evaluate(
        self,
        data: Manifest | None = None,
        *,
        split: str = "test",
        store: PathLike | None = None,
    ) -> Result:
        """Measure the detector, with 95 % intervals and thresholds as training froze them.

        Args:
            data: Images with labels; only rows of `split` count, or all where none has a
                split. None gives what training measured on the run's own images.
            split: Which rows.
            store: A channel store that holds the images of `data`.

        Raises:
            InputError: The detector was trained or validated on some of these images, or
                there is no row of this split.
        """
        if data is None:
            return Result(self.folder, split, self.point)
        from kerasfaces.evaluate import run, seen_images

        require_manifest(data)
        rows = data.manifest.rows
        part = data if (rows["split"] == "").all() else data.select(split=split)
        n_seen = int(seen_images.mask(self.folder, part.manifest).sum())
        if n_seen:
            raise InputError(
                f"data: the detector was trained or validated on {n_seen:,} of these "
                f"{len(part):,} images, so that no number on them would be a result. "
                "Give other images, or call evaluate() for its own test split."
            )
        target, _ = run.evaluate_images(
            self.folder,
            data.manifest,
            data.name,
            split,
            store=as_path(store),
        )
        return Result(target, split, self.point)

    def predict(
        self,
        images: Images,
        *,
        faces: Literal["image", "largest", "each"] = "image",
        stability: bool = True,
        provenance: bool = True,
        quick: bool = False,
        engine: str = "keras",
    ) -> pd.DataFrame:
        """Return the whole answer to each image, as `kerasfaces predict --csv` does.

        Args:
            images: A path, a folder, a PIL image or a uint8 array `(h, w, 3)` in sRGB, or
                several of them.
            faces: What is judged: the whole picture, its largest face, or each face, of
                which one fake makes the picture fake.
            stability: Judge six laundered versions, too; a verdict that flips is `unsure`.
            provenance: Read what a file says of its origin.
            quick: The verdict alone: neither of these, and no faces are looked for.
            engine: `keras`, or the run's export (made on first use): `onnxruntime`,
                `openvino`, or `auto`, the first that can be had.

        Returns:
            One row per image: `path` (or `<image 0>`), `verdict` (`real`, `fake`, `unsure`
            inside the band that validation found unsure or where laundering flips it, ""
            where there is none), `score` (calibrated probability of fake), `logit`,
            `reason` where there is no verdict, and the other columns of
            `kerasfaces.serve.answers_file`.

        Raises:
            InputError: Something is no image, or the detector is not trained.
        """
        from kerasfaces.serve import answers_file
        from kerasfaces.serve.answer import Options, answer_all

        options = Options.quick(faces)
        if not quick:
            options = Options(faces=faces, stability=stability, provenance=provenance)
        sources = as_sources(images)
        with progress(len(sources), "scoring") as advance:
            rows = []
            for answer in answer_all(sources, self._engine(engine), options):
                rows.append(answers_file.row(answer))
                advance(1)
        table = pd.DataFrame(rows, columns=list(answers_file.COLUMNS), dtype=object)
        numbers = ("score", "logit")
        return table.astype(dict.fromkeys(numbers, np.float64))

    def _engine(self, name: str) -> ExportedDetector:
        """Return what computes, loaded once."""
        from kerasfaces.serve.exported import ExportedDetector

        if name not in self._engines:
            self._engines[name] = ExportedDetector.open(self.folder, engine=name)
        return self._engines[name]

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        """Return `(n, 2)` probabilities of real and fake; NaN where unreadable.

        Args:
            images: See `predict`.
        """
        scores = self.predict(images, quick=True)["score"].to_numpy(dtype=np.float64)
        return np.stack([1 - scores, scores], axis=1)

    def decision_function(self, images: Images) -> NDArray[np.float64]:
        """Return `(n,)` logits, larger for fake; NaN where unreadable.

        Args:
            images: See `predict`.
        """
        return self.predict(images, quick=True)["logit"].to_numpy(dtype=np.float64)

    def explain(
        self,
        images: Images,
        output: PathLike,
        *,
        method: str = "gradcam",
        signed: bool = False,
        baseline: Literal["blurred", "grey"] = "blurred",
        checks: bool = True,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Map where on each image the logit comes from, and test the maps.

        Args:
            images: See `predict`.
            output: Where maps, explanations.csv and explain.html are written.
            method: `gradcam`, `integrated_gradients` or `occlusion`.
            signed: `gradcam`: show what speaks against the verdict, too.
            baseline: `integrated_gradients`: where the path starts, the image's own blurred
                self or mid-grey.
            checks: Measure whether the maps can be believed; several times slower.
            seed: Key of the random orders and re-drawn heads of the checks.

        Returns:
            explanations.csv: one row per image; maps are in `output/images`, `(s, s)`
            float32, positive where a place speaks for fake.

        Raises:
            InputError: Something is no image, or the method cannot explain this detector.
            RunError: The folder holds another explanation.
        """
        from kerasfaces.explain.contract import Settings
        from kerasfaces.explain.run import explain
        from kerasfaces.explain.selection import Selection

        with as_files(images) as (files, names, reasons):
            for name, reason in zip(names, reasons, strict=True):
                if reason:
                    raise InputError(f"{name}: {reason}.")
            selection = Selection(files=files)
            settings = Settings(
                method=method,
                signed=signed,
                baseline=baseline,
                checks=checks,
                seed=seed,
            )
            frame = explain(self.folder, selection, Path(output), settings)
        return frame.assign(path=names)

    def attribute(
        self,
        data: Manifest | None = None,
        *,
        output: PathLike | None = None,
        reject: float = 0.05,
        l2: float = 0.01,
        seed: int = 0,
    ) -> Path:
        """Train a head that tells which generator made an image.

        Args:
            data: Images of several generators; by default the run's own.
            output: Folder to write; by default `runs/attribution-<hash>`.
            reject: Share of known validation images that may be called unknown.
            l2: Penalty of the head's weights.
            seed: Key of the intervals' resamples.

        Returns:
            The folder, with attribution.json and report.html.

        Raises:
            InputError: The base was trained with the run, or there are too few generators.
        """
        from kerasfaces.attribute.run import Config, attribute

        if data is not None:
            require_manifest(data)
        return attribute(
            self.folder,
            None if data is None else data.manifest,
            as_path(output),
            Config(l2=l2, reject=reject, seed=seed),
        )

    def launder(
        self,
        data: Manifest | None = None,
        *,
        launderings: Sequence[str] = (),
        split: str = "test",
        at_least: int = 10,
        seed: int = 0,
        output: PathLike | None = None,
    ) -> LaunderingMatrix:
        """Launder images as the web does, reals and fakes alike, and measure what is left.

        Args:
            data: Images with labels; by default the run's own test images.
            launderings: Names (`jpeg`) or names with a strength (`jpeg:70`); by default all.
            split: Which rows of `data`, where rows have splits.
            at_least: Images below which a generator is named, not measured.
            seed: Key of the intervals' resamples.
            output: Folder to write; by default `RUN/launderings/<hash>-<split>`. A finished one
                is read again, an interrupted one continues.

        Raises:
            InputError: The detector was trained or validated on some of these images, is on
                channels, or there are too few images.
            RunError: The folder holds another matrix.
        """
        from kerasfaces.api.laundering import LaunderingMatrix
        from kerasfaces.launder.run import LaunderSettings, launder

        if data is not None:
            require_manifest(data)
        folder = launder(
            self.folder,
            None if data is None else data.manifest,
            LaunderSettings(
                launderings=tuple(launderings),
                split=split,
                at_least=at_least,
                seed=seed,
                folder=as_path(output),
            ),
            "data" if data is None else data.name,
        )
        return LaunderingMatrix(folder.path)

    def export(self, format: str, output: PathLike | None = None) -> Path:
        """Write the network for another runtime, checked against Keras.

        Args:
            format: `onnx`, `openvino`, `savedmodel`, `litert`, with 8 bits `litert_dynamic`
                or `litert_int8`, or `browser`, a page that judges pictures.
            output: Where to write; by default `RUN/exports/<format>`.

        Returns:
            The written file, beside its export.json.

        Raises:
            InputError: A baseline has no network.
            MissingExtraError: `pip install 'kerasfaces[export]'` has not been run.
            RunError: The format cannot hold the network; nothing is left behind.
        """
        if format == "browser":
            from kerasfaces.serve.browser import write_page

            return write_page(self.folder, as_path(output))[0]
        from kerasfaces.serve.export import export

        return export(self.folder, format, as_path(output))[0]

    def publish(
        self,
        repo: str,
        *,
        space: bool = False,
        dry_run: bool = False,
        private: bool = False,
        licence: str = "",
        output: PathLike | None = None,
    ) -> str:
        """Upload the detector to Hugging Face, with a card of its results.

        Args:
            repo: `OWNER/NAME`; made if it is not there.
            space: Also upload a Space of that name with the app.
            dry_run: Write `output` only.
            private: Whether new repositories are private.
            licence: Of the weights, as Hugging Face names it, e.g. `apache-2.0`.
            output: Folder that keeps what is uploaded.

        Returns:
            `hf://OWNER/NAME@COMMIT`, which `kerasfaces.load_run` loads; empty after a dry
            run.

        Raises:
            InputError: The service refuses, or the files would tell who made them.
            MissingExtraError: `pip install 'kerasfaces[publish]'` has not been run.
        """
        from kerasfaces.serve.publish.upload import publish

        publication = publish(
            self.folder,
            repo,
            with_space=space,
            dry_run=dry_run,
            private=private,
            licence=licence,
            target=as_path(output),
        )
        return publication.address

    def __repr__(self) -> str:
        """Return the name and what the detector was trained on."""
        if self._folder is None:
            return f"Detector({quoted(self.name)}), not trained"
        trained_on = DetectorRun(self._folder).trained_on()
        return f"Detector({quoted(self.name)}): {trained_on}"

    @cached_property
    def _network(self) -> keras.Model:
        return DetectorRun(self.folder).network.load()

    @cached_property
    def _engines(self) -> dict[str, ExportedDetector]:
        """What computes, by name, as far as it was asked for."""
        return {}

    def _opened(self, folder: Path) -> Self:
        """Point to a run; what was read of an earlier one is forgotten."""
        self._folder = folder
        for name in ("_network", "_engines"):
            self.__dict__.pop(name, None)
        return self


def load_run(run: PathLike) -> Detector:
    """Open a finished run folder as a detector; see `Detector.load`."""
    return Detector.load(run)


def list_models() -> pd.DataFrame:
    """Return the models and baselines that `Detector` knows, with what each is."""
    lines = [
        {
            "name": name,
            "kind": "baseline" if detectors.is_baseline(name) else "model",
            "summary": detectors.summary(name),
        }
        for name in detectors.names()
    ]
    return pd.DataFrame(lines).set_index("name")
