"""Variations and edits of photos by OpenAI's image models, image by image (kabber2023).

Paid: each request is in the folder's ledger before it is sent, and an answer is saved before
anything else is done with it, so that nothing is paid twice. The fakes show what the photo
shows, but not pixel by pixel: they are not aligned.
"""

import base64
import binascii
import dataclasses
import hashlib
import json
import time
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from kerasfaces import images
from kerasfaces.core.errors import ImageError, InputError, RunError
from kerasfaces.core.files import write_bytes
from kerasfaces.core.imports import optional_import
from kerasfaces.generate.accounts import Ledger, price_usd, prices
from kerasfaces.generate.contract import Floats, Pixels

ALIGNED = False
# Settings that do not decide what a fake looks like: a run continues with others.
UNCLAIMED = ("budget_usd", "base_url", "timeout_s", "retries", "per_minute")
_ANSWERS = ".answers"
_PAUSE_MAX_S = 60.0
_NOT_SENT = ("ConnectError", "ConnectTimeout")  # of the client's own library
_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked for, and what it may cost.

    Attributes:
        network: Model: `dall-e-2` for variations, also `gpt-image-1` for edits.
        task: `variation` needs no prompt; `edit` follows one.
        prompt: What an edit is to change, in words; empty for variations.
        quality: Grade that `gpt-image-1` draws and bills by.
        side_px: Side of the picture that is sent and that comes back; `size_px` must be
            the same.
        budget_usd: No request is sent that could go beyond it, over all runs in the folder.
        per_minute: Requests a minute at most, of each process.
        timeout_s: Wait for an answer.
        retries: After errors that may pass, with growing pauses or as the service says; a
            time-out is not repeated, since it may be billed.
        base_url: Of the service; empty for OpenAI's.
    """

    network: str = "dall-e-2"
    task: Literal["variation", "edit"] = "variation"
    prompt: str = ""
    quality: Literal["low", "medium", "high"] = "medium"
    side_px: int = 512
    budget_usd: float = 1.0
    per_minute: float = 5.0
    timeout_s: float = 120.0
    retries: int = 3
    base_url: str = ""

    def __post_init__(self) -> None:
        if not self.budget_usd > 0:
            raise InputError(
                f"options.budget_usd: expected more than 0, got {self.budget_usd}."
            )
        if not (self.per_minute > 0 and self.timeout_s > 0 and self.retries >= 0):
            raise InputError(
                "options: per_minute and timeout_s must be above 0, retries 0 or more."
            )


def _check(options: Options) -> None:
    """Check what settings mean together; they are set one after the other."""
    if options.task == "variation" and options.network != "dall-e-2":
        raise InputError(
            f"options.network: only dall-e-2 makes variations, got {options.network!r}; "
            "set options.task=edit."
        )
    if (options.task == "edit") != bool(options.prompt):
        raise InputError("options.prompt: an edit needs one, a variation has none.")
    _price_usd(options)


def _price_usd(options: Options) -> float:
    return price_usd(options.network, options.quality, options.side_px)


def name(options: Options) -> str:
    """Return the model and what it was asked for."""
    return f"{options.network}_{options.task}"


class Painter:
    """Sends pictures to the service."""

    def __init__(self, options: Options) -> None:
        """Prepare the client.

        Raises:
            MissingExtraError: The package is not installed.
            InputError: There is no key in the environment, no price for what is asked
                for, or settings that do not go together.
        """
        _check(options)
        self._openai = optional_import("openai", "generate")
        try:
            self._client = self._openai.OpenAI(
                base_url=options.base_url or None,
                timeout=options.timeout_s,
                max_retries=0,
            )
        except self._openai.OpenAIError as error:
            raise InputError(
                "There is no key in the environment; set OPENAI_API_KEY to that of an "
                "account that pays."
            ) from error
        self._options, self._usd = options, _price_usd(options)
        self.stride_px = options.side_px
        self.recipe: dict[str, object] = {}
        self._next_s = 0.0
        self._ledger: Ledger | None = None
        self._answers = Path()

    def use_folder(self, folder: Path) -> None:
        """Keep accounts and answers in the folder of the fakes."""
        self._ledger = Ledger(folder, self._options.budget_usd)
        self._answers = folder / _ANSWERS

    def before(self, n: int) -> str:
        """Say what `n` photos may cost."""
        accounts, budget = self._accounts(), self._options.budget_usd
        spent, answered = accounts.spent_usd(), accounts.n_answered()
        more = max(0, n - answered) * self._usd
        return (
            f"{n:,} photos at ${self._usd:.3f}, {answered:,} answered before: ${more:.2f} "
            f"at most (prices of {prices()['date']}); spent in this folder "
            f"${spent:.2f}, budget ${budget:.2f}"
        )

    def after(self) -> str:
        """Say what was spent."""
        accounts = self._accounts()
        n = accounts.n_unanswered()
        lost = f"; {n} without an answer, counted as billed" if n else ""
        return f"spent in this folder ${accounts.spent_usd():.2f}{lost}"

    def __call__(self, real: Pixels, random: np.random.Generator) -> Floats:
        """Return the fake; see `contract.Generator`.

        Raises:
            ImageError: The service refused, stalled or sent no picture, or the budget is
                used up.
            InputError: The key or the account is of no use: every request would fail.
        """
        if real.shape[:2] != (self._options.side_px,) * 2:
            raise ImageError(
                f"it was cut to {real.shape[1]} px, the request has side_px="
                f"{self._options.side_px}; set size_px to the same"
            )
        picture = images.encode(Image.fromarray(real).convert("RGBA"), "PNG")
        settings = self._settings()
        asked = json.dumps(settings, sort_keys=True).encode() + picture
        request = hashlib.sha256(asked).hexdigest()[:20]
        saved = self._answers / f"{request}.png"
        if not saved.exists():
            write_bytes(saved, self._ask(request, picture, settings))
        fake = np.asarray(images.decode(images.read_file(saved)), np.float32)
        if fake.shape != real.shape:
            raise ImageError(f"the service sent {fake.shape[1]} x {fake.shape[0]} px")
        return fake

    def _settings(self) -> dict[str, Any]:
        options = self._options
        side = f"{options.side_px}x{options.side_px}"
        settings: dict[str, Any] = {"model": options.network, "n": 1, "size": side}
        if options.task == "edit":
            settings["prompt"] = options.prompt
        if options.network == "dall-e-2":
            settings["response_format"] = "b64_json"
        else:
            settings["quality"] = options.quality
        return settings

    def _ask(self, request: str, picture: bytes, settings: dict[str, Any]) -> bytes:
        """Return the answer's file, paid and entered."""
        openai, accounts = self._openai, self._accounts()
        pictures = self._client.images
        is_edit = self._options.task == "edit"
        ask = pictures.edit if is_edit else pictures.create_variation
        accounts.ask(request, self._usd)
        try:
            answer = self._retried(ask, picture, settings)
        except openai.APIStatusError as error:
            accounts.close(request, self._usd, billed=False)
            raise self._of_status(error) from error
        except openai.APIConnectionError as error:  # a time-out is one, too
            if type(error.__cause__).__name__ not in _NOT_SENT:
                raise ImageError(
                    f"no answer in {self._options.timeout_s:g} s; counted as billed"
                ) from error
            accounts.close(request, self._usd, billed=False)
            raise InputError(
                f"The service cannot be reached ({error.__cause__}); the same command "
                "continues."
            ) from error
        except openai.OpenAIError as error:
            raise ImageError(
                "an answer that cannot be read; counted as billed"
            ) from error
        accounts.close(request, self._usd, billed=True)
        try:
            return base64.b64decode(answer.data[0].b64_json, validate=True)
        except (TypeError, IndexError, AttributeError, binascii.Error) as error:
            raise ImageError("the service sent no picture, and billed it") from error

    def _retried(self, ask: Any, picture: bytes, settings: dict[str, Any]) -> Any:
        """Ask until there is an answer that is not "later", or `retries` are used up.

        The client would also repeat what timed out, and pay for it twice.
        """
        openai = self._openai
        for attempt in range(self._options.retries + 1):
            self._wait()
            try:
                with warnings.catch_warnings():
                    # Variations are marked as deprecated; a service without them says 404.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    return ask(image=("photo.png", picture, "image/png"), **settings)
            except (openai.RateLimitError, openai.InternalServerError) as error:
                is_last = attempt == self._options.retries
                if is_last or str(error.code) in _NO_CREDIT:
                    raise
                time.sleep(_pause_s(error, attempt))
        raise RunError("openai: no attempt was made.")

    def _of_status(self, error: Any) -> Exception:
        """Return the reason of one photo, or the error that ends the run."""
        code, openai = str(error.code or ""), self._openai
        ends = (
            openai.AuthenticationError,
            openai.PermissionDeniedError,
            openai.NotFoundError,
        )
        text = " ".join(str(error.message).split())[:200]
        if isinstance(error, ends) or code in _NO_CREDIT:
            return InputError(
                f"The service refuses this account ({error.status_code}: {text}); mend that, "
                "and the same command continues."
            )
        what = "refused" if error.status_code == 400 else "failed"
        return ImageError(f"the service {what} ({error.status_code}: {text})")

    def _wait(self) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._next_s - now))
        self._next_s = max(now, self._next_s) + 60 / self._options.per_minute

    def _accounts(self) -> Ledger:
        if self._ledger is None:
            raise RunError(
                "openai: no folder to keep accounts in; call use_folder first."
            )
        return self._ledger


def build(options: Options) -> Painter:
    """Return the generator."""
    return Painter(options)


def _pause_s(error: Any, attempt: int) -> float:
    """Return the seconds that the service asks for, or a pause that grows."""
    try:
        return min(float(error.response.headers["retry-after"]), _PAUSE_MAX_S)
    except (KeyError, ValueError):
        return min(2.0**attempt, _PAUSE_MAX_S)
