"""A detector with scikit-learn's verbs, over the run folder that training writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from kerasfaces.api.data import Manifest
from kerasfaces.api.detector_analysis import AnalysedDetector
from kerasfaces.api.manifest_rows import require_manifest
from kerasfaces.api.paths import PathLike, as_path
from kerasfaces.api.result import Result
from kerasfaces.core.errors import InputError
from kerasfaces.train import detectors


class Detector(AnalysedDetector):
    """A detector of generated faces: configured, trained once, used everywhere.

    Attributes:
        settings: The model and what was said about it; `settings.configuration()` is all
            of its training.

    Example:
        >>> import kerasfaces as kf  # doctest: +SKIP
        >>> detector = kf.Detector("mobilenetv2").fit(kf.load_sample())  # doctest: +SKIP
        >>> detector.predict("photo.jpg")  # doctest: +SKIP
    """

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
        from kerasfaces.evaluate import other_images, seen_images

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
        target, _ = other_images.evaluate_images(
            self.folder, data.manifest, data.name, split, store=as_path(store)
        )
        return Result(target, split, self.point)

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
        training_features: bool = True,
        output: PathLike | None = None,
    ) -> str:
        """Upload the detector to Hugging Face, with a card of its results.

        Args:
            repo: `OWNER/NAME`; made if it is not there.
            space: Also upload a Space of that name with the app.
            dry_run: Write `output` only.
            private: Whether new repositories are private.
            licence: Of the weights, as Hugging Face names it, e.g. `apache-2.0`.
            training_features: Upload 64 numbers per training image (no name, no hash) by
                which answers say how far a picture is from what was trained on.
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
            with_features=training_features,
            target=as_path(output),
        )
        return publication.address


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
