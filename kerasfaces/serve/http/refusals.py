"""Why a request gets no answer: a status, one sentence, and when to come again."""


class Refusal(Exception):
    """A request that is refused.

    Attributes:
        status: HTTP status.
        sentence: What is wrong, and the next step.
        retry_s: Seconds after which it may be sent again; None where that is no use.
    """

    def __init__(
        self, status: int, sentence: str, *, retry_s: int | None = None
    ) -> None:
        """Say why."""
        super().__init__(sentence)
        self.status, self.sentence = status, sentence
        self.retry_s = retry_s

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the reply."""
        headers = {"Connection": "close"}  # a body may still be on its way
        if self.retry_s is not None:
            headers["Retry-After"] = str(self.retry_s)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return headers
