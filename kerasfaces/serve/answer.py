"""Pictures -> whole answers: verdict, provenance, faces, stability, warnings, error rates.

One picture after another is read, examined and reduced to the arrays that the detector
takes, then scored in batches; what is held does not grow with the number of pictures. Of
several, each file is decoded in another process, which may crash alone. The command
`predict`, the library, the service and the app all show what comes out here.

The score comes from pixels alone. What a file says of itself (`serve.provenance`) stands
beside it and never changes it.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.errors import ImageError
from kerasfaces.serve import face_policy, pictures, stability
from kerasfaces.serve.background import Background
from kerasfaces.serve.contract import Answer as Answer
from kerasfaces.serve.contract import Detecting, Pixels, Verdict, facts_of
from kerasfaces.serve.contract import Options as Options
from kerasfaces.serve.face_policy import Finder
from kerasfaces.serve.pictures import Decode, Picture, Source

_BAND = "the score lies in the band that validation found unsure"
_EDGE = "the logit is so near the threshold or the band that only Keras, not here, could decide"
BATCH = 64  # arrays that the detector is given at a time


@dataclasses.dataclass
class _Examined:
    """A picture on its way: an answer that lacks its verdict, and what is to be scored."""

    answer: Answer
    versions: list[list[Pixels]] = dataclasses.field(default_factory=list)
    # ^ of each region that is judged: as it is, then laundered
    trials: stability.Trials = dataclasses.field(default_factory=stability.Trials)

    @property
    def arrays(self) -> list[Pixels]:
        return [array for versions in self.versions for array in versions]


def answer_all(
    images: Iterable[Source],
    detector: Detecting,
    options: Options | None = None,
    *,
    background: Background | None = None,
    find_faces: Finder | None = None,
) -> Iterator[Answer]:
    """Yield the answer to each picture, in order, while others are still to come.

    Args:
        images: Paths, files' bytes, PIL images, uint8 arrays `(h, w, 3)` or `(h, w)` in
            sRGB, or `pictures.Named` ones.
        detector: What scores them.
        options: What belongs to an answer; by default everything.
        background: What is known of the run; by default read from `detector.folder`.
        find_faces: `(h, w, 3)` uint8 -> faces; by default `kerasfaces.faces.detect`.

    Raises:
        InputError: Faces are to be judged, and there is no detector of faces.
    """
    groups = answer_groups(
        images, detector, options, background=background, find_faces=find_faces
    )
    for group in groups:
        yield from group


def answer_groups(
    images: Iterable[Source],
    detector: Detecting,
    options: Options | None = None,
    *,
    background: Background | None = None,
    find_faces: Finder | None = None,
) -> Iterator[list[Answer]]:
    """Yield `answer_all`'s answers in the groups that were scored together.

    Where one group ends depends on the pictures since the last alone, so that whoever
    continues behind a group gets the same numbers.
    """
    options = options or Options()
    if background is None:
        background = Background.of(detector)
    examiner = _Examiner(detector, options, background, find_faces)
    waiting: list[_Examined] = []
    for picture, decode in pictures.opened(images):
        waiting.append(examiner.examine(picture, decode))
        if sum(len(each.arrays) for each in waiting) >= BATCH:
            yield list(examiner.answers(waiting))
            waiting = []
    if waiting:
        yield list(examiner.answers(waiting))


def _judgeable(size: tuple[int, int]) -> str:
    return ""


class _Examiner:
    """Examines pictures one by one, and scores them together."""

    def __init__(
        self,
        detector: Detecting,
        options: Options,
        background: Background,
        find_faces: Finder | None,
    ) -> None:
        policy = face_policy.of_run(options.faces, detector)
        options = dataclasses.replace(options, faces=policy)
        self._detector, self._options = detector, options
        self._trained = face_policy.trained_on(detector)
        self._prepare = detector.prepare
        if self._trained:  # what it is given are crops: none is cut out of them
            self._prepare = getattr(detector, "prepare_crop", detector.prepare)
        self._background = background
        # What the limits are of: files as training had them, which may have been crops.
        cut = face_policy.cut_by(detector)
        self._too_little_photo = _judgeable if cut == "cut" else background.too_little
        self._too_little = _judgeable if cut == "largest" else background.too_little
        self._are_crops = cut == "cut"
        self._finder = face_policy.finder(options.faces, options.find_faces, find_faces)
        self._facts = facts_of(detector)

    def examine(self, picture: Picture, decode: Decode) -> _Examined:
        """Read a picture; one that cannot be read has a reason and nothing to score."""
        answer = Answer(name=picture.name, detector=self._facts)
        try:
            data = picture.data()
            answer = dataclasses.replace(answer, sha256=pictures.digest(data))
            if self._options.provenance and data is not None:
                from kerasfaces.serve import provenance

                origin = provenance.read(data, self._options.trust)
                answer = dataclasses.replace(answer, provenance=origin)
            image = picture.image(data, decode)
            width, height = image.size
            answer = dataclasses.replace(answer, width_px=width, height_px=height)
            if reason := self._too_little_photo(image.size):
                raise ImageError(reason)
        except ImageError as error:
            return _Examined(dataclasses.replace(answer, reason=str(error)))
        return self._regions(answer, data, image)

    def _regions(
        self, answer: Answer, data: bytes | None, image: Image.Image
    ) -> _Examined:
        faces, warnings = self._finder(image)
        try:
            chosen = face_policy.choose(
                self._options.faces, image, faces, self._trained
            )
            if self._are_crops:
                chosen = chosen.large_enough(self._too_little)
        except ImageError as error:
            return _Examined(
                dataclasses.replace(answer, faces=faces, reason=str(error))
            )
        examined = _Examined(answer)
        for region in chosen.regions:
            versions = [self._prepare(region)]
            if self._options.stability:
                examined.trials, images = stability.versions(
                    region, answer.sha256, self._too_little
                )
                versions += [self._prepare(each) for each in images]
            examined.versions.append(versions)
        warnings = (*warnings, *chosen.warnings)
        if self._options.warnings:
            own = [each[0] for each in examined.versions]
            warnings = (*warnings, *self._background.cautions(data, own))
        examined.answer = dataclasses.replace(
            answer,
            faces=faces,
            judged=chosen.judged,
            warnings=tuple(dict.fromkeys(warnings)),
        )
        return examined

    def answers(self, waiting: Sequence[_Examined]) -> Iterator[Answer]:
        """Yield the finished answers of examined pictures."""
        arrays = [array for each in waiting for array in each.arrays]
        logits, embeddings = self._outputs(arrays)
        at = 0
        for each in waiting:
            if not each.versions:
                yield each.answer
                continue
            shape = len(each.versions), len(each.versions[0])
            part = logits[at : at + shape[0] * shape[1]].reshape(shape)
            if embeddings is not None:
                own = embeddings[at : at + part.size : shape[1]]
                far = self._background.distances(own)
                warnings = (*each.answer.warnings, *far)
                each.answer = dataclasses.replace(each.answer, warnings=warnings)
            at += part.size
            yield self._finished(each, part)

    def _outputs(
        self, arrays: Sequence[Pixels]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Return logits `(n,)`; and final layers where distances are to be told."""
        batches = [
            np.stack(arrays[at : at + BATCH]) for at in range(0, len(arrays), BATCH)
        ]
        if not batches:
            return np.zeros(0), None
        outputs = getattr(self._detector, "outputs", None)
        if (
            outputs is None
            or not self._options.warnings
            or self._background.features is None
        ):
            parts = [self._detector.logits(batch) for batch in batches]
            return np.concatenate(parts), None
        both = [outputs(batch) for batch in batches]
        logits, embeddings = zip(*both, strict=True)
        return np.concatenate(logits), np.concatenate(embeddings)

    def _finished(self, examined: _Examined, logits: NDArray[np.float64]) -> Answer:
        """Return the answer, given logits `(regions, versions)`."""
        answer, own = examined.answer, logits[:, 0]
        if not np.isfinite(logits).all():
            reason = "the detector gives no finite logit"
            return dataclasses.replace(answer, reason=reason)
        point = self._detector.operating_point
        decided = self._detector.decide(own)
        verdict: Verdict = face_policy.combined(decided)
        doubt = _BAND if "unsure" in point.verdicts(point.apply(own)) else _EDGE
        tried = None
        if self._options.stability:
            verdicts = [
                face_policy.combined(point.verdicts(point.apply(column)))
                for column in logits[:, 1:].T
            ]
            tried = examined.trials.result(verdict, verdicts, logits[:, 1:].max(axis=0))
            if tried["flipped"]:
                doubt = (
                    f"{verdict} as it is, but not after {', '.join(tried['flipped'])}"
                )
                verdict = "unsure"
        scores = point.apply(own)
        return dataclasses.replace(
            answer,
            verdict=verdict,
            doubt=doubt if verdict == "unsure" else "",
            score=float(scores.max()),
            logit=float(own.max()),
            faces=face_policy.scored(
                self._options.faces, answer.faces, own, scores, decided
            ),
            stability=tried,
            error_rates=self._background.error_rates(self._options),
        )
