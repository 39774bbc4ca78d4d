// Logits -> answers, as kerasfaces/run/operating_point.py and images/limits.py give them.

function scoreOf(logit, { a, b }) {
  return 1 / (1 + Math.exp(-(a * logit + b)));
}

// `room`, of max(1, |logit|), is what an export may differ by from Keras.
function verdictOf(logit, point, room) {
  const score = scoreOf(logit, point.calibrator);
  const [low, high] = point.abstain;
  const edges = low < high ? [point.threshold, low, high] : [point.threshold];
  const { a, b } = point.calibrator;
  const near = edges.some((edge) => {
    const at = (Math.log(edge) - Math.log1p(-edge) - b) / a;
    return Math.abs(logit - at) <= room * Math.max(1, Math.abs(at));
  });
  if (near || (low < high && score >= low && score <= high)) return "unsure";
  return score >= point.threshold ? "fake" : "real";
}

function refusal(width, height, limits) {
  if (!limits) return "";
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  if (short < limits.short_side_px) {
    return (
      `too small to judge: ${width}x${height} px, the shorter side must be at least ` +
      `${limits.short_side_px} px for this detector`
    );
  }
  if (long > limits.aspect * short) {
    return (
      `too narrow to judge: ${width}x${height} px, the longer side must be at most ` +
      `${limits.aspect} times the shorter for this detector`
    );
  }
  return "";
}

// The first golden logit that differs by more than its limit, in words; empty if none.
function differing(logits, golden) {
  for (let i = 0; i < golden.logits.length; i++) {
    const expected = golden.logits[i];
    const limit = golden.limit * Math.max(1, Math.abs(expected));
    if (!(Math.abs(logits[i] - expected) <= limit)) {
      return `gives ${logits[i]} where the export gave ${expected}`;
    }
  }
  return "";
}
