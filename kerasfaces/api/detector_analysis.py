"""How a `Detector` is looked into: maps, generators' names, launderings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from kerasfaces.api.data import Manifest
from kerasfaces.api.detector_answers import AnsweringDetector
from kerasfaces.api.inputs import Images, as_files
from kerasfaces.api.manifest_rows import require_manifest
from kerasfaces.api.paths import PathLike, as_path
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError

if TYPE_CHECKING:
    from kerasfaces.api.laundering import LaunderingMatrix
    from kerasfaces.explain.contract import Settings


class AnalysedDetector(AnsweringDetector):
    """The methods of `Detector` that study it."""

    def explain(
        self,
        images: Images | None = None,
        output: PathLike = "",
        *,
        method: str = "gradcam",
        split: str = "",
        n: int = 40,
        decisions: int = 0,
        layer: str = "",
        signed: bool = False,
        baseline: Literal["blurred", "grey"] = "blurred",
        checks: bool = True,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Show where a logit comes from or what was learnt, and test what is shown.

        Args:
            images: See `predict`; None: those of `split` or of `decisions`, or none for
                methods that need none (`preferred_inputs`).
            output: Where pictures, explanations.csv and explain.html are written.
            method: A file of `kerasfaces/explain/methods`; `kerasfaces explain --list` says
                what each is.
            split: Explain images of the run's own manifest, as many of each source.
            n: Largest number of images of `split`, drawn at random.
            decisions: Explain so many right and so many wrong decisions on the test split.
            layer: `feature_maps`, `factorisation`, `preferred_inputs`: a layer of the base.
            signed: `gradcam`: show what speaks against the verdict, too.
            baseline: `integrated_gradients`: where the path starts, the image's own blurred
                self or mid-grey.
            checks: Measure whether maps can be believed; several times slower.
            seed: Key of draws, random orders and re-drawn heads.

        Returns:
            explanations.csv: one row per image; maps are in `output/images`, `(s, s)`
            float32, positive where a place speaks for fake.

        Raises:
            InputError: Something is no image, no output is named, or the method cannot
                explain this detector.
            RunError: The folder holds another explanation.
        """
        from kerasfaces.explain import contract, run, selection

        if not output:
            raise InputError("`output`: name the folder that the pictures go into.")
        settings = contract.Settings(
            method=method,
            signed=signed,
            baseline=baseline,
            checks=checks,
            seed=seed,
            layer=layer,
        )
        if images is not None:
            return self._explain_images(images, Path(output), settings)
        chosen = selection.choose(
            self.folder, split=split, n=n, decisions=decisions, seed=seed
        )
        return run.explain(self.folder, chosen, Path(output), settings)

    def _explain_images(
        self, images: Images, output: Path, settings: Settings
    ) -> pd.DataFrame:
        from kerasfaces.explain import run, selection

        with as_files(images) as (files, names, reasons):
            for name, reason in zip(names, reasons, strict=True):
                if reason:
                    raise InputError(f"{name}: {reason}.")
            chosen = selection.Selection(files=files)
            return run.explain(self.folder, chosen, output, settings).assign(path=names)

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
            configs.updated(Config(), {"l2": l2, "reject": reject, "seed": seed}),
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
