// The page: unpacks what it carries, proves itself on the golden vectors, judges pictures.
// Nothing is fetched or sent: the page's content security policy forbids every connection.

const MAX_BYTES = 512 * 2 ** 20;
const MAX_PIXELS = 178956970;
const element = (id) => document.getElementById(id);

async function unpacked(id) {
  const text = atob(element(id).textContent.trim());
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  element(id).remove(); // megabytes of text
  return inflated(bytes, "gzip");
}

async function inflated(bytes, kind) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(kind));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function opened(about) {
  ort.env.wasm.numThreads = 1; // more would need a server with headers of its own
  ort.env.wasm.wasmBinary = (await unpacked("runtime")).buffer;
  const session = await ort.InferenceSession.create(await unpacked("network"));
  const run = async (levels, shape) => {
    const image = new ort.Tensor("float32", Float32Array.from(levels), shape);
    return Array.from((await session.run({ image })).logit.data);
  };
  const { golden } = about;
  const packed = Uint8Array.from(atob(golden.levels), (letter) => letter.charCodeAt(0));
  const wrong = differing(await run(await inflated(packed, "deflate"), golden.shape), golden);
  if (wrong) throw new Error(`this browser ${wrong}; use another one`);
  return run;
}

async function decoded(file) {
  if (file.size > MAX_BYTES) throw new Error(`larger than ${MAX_BYTES >> 20} MB`);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { premultiplyAlpha: "none" });
  } catch {
    throw new Error("not an image, damaged, or of a kind that this browser cannot read");
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) throw new Error(`more than ${MAX_PIXELS} pixels; save a smaller copy`);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  context.fillStyle = "#fff"; // what is transparent
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  let rgba;
  try {
    rgba = context.getImageData(0, 0, width, height).data;
  } catch {
    throw new Error("too large for this browser");
  }
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    data[to++] = rgba[from];
    data[to++] = rgba[from + 1];
    data[to++] = rgba[from + 2];
  }
  return { width, height, data };
}

async function judged(file, about, run) {
  const picture = await decoded(file);
  const spec = about.input_spec;
  const reason = refusal(picture.width, picture.height, spec.limits);
  if (reason) throw new Error(reason);
  const pixels = prepare(picture, spec.input, spec.made_by.pillow);
  const [logit] = await run(pixels.data, [1, pixels.height, pixels.width, 3]);
  if (!Number.isFinite(logit)) throw new Error("the detector gives no finite logit");
  const point = about.operating_point;
  const verdict = verdictOf(logit, point, about.golden.limit);
  return { verdict, score: scoreOf(logit, point.calibrator), logit };
}

function row(name) {
  const line = element("answers").insertRow(0);
  for (const text of [name, "…", "", "", ""]) line.insertCell().textContent = text;
  return line;
}

function fill(line, verdict, score, logit, reason) {
  [verdict, score, logit, reason].forEach((text, at) => {
    line.cells[at + 1].textContent = text;
  });
  line.dataset.verdict = verdict;
}

async function judge(files, about, run) {
  element("table").hidden = false;
  for (const file of files) {
    const line = row(file.name);
    try {
      const answer = await judged(file, about, run);
      fill(line, answer.verdict, answer.score.toFixed(4), answer.logit.toFixed(4), "");
      line.dataset.logit = answer.logit;
    } catch (error) {
      fill(line, "unreadable", "", "", error.message);
    }
  }
}

function listen(about, run) {
  let before = Promise.resolve(); // one after the other: they share one network
  const add = (files) => {
    before = before.then(() => judge([...files], about, run));
  };
  element("files").addEventListener("change", (event) => {
    add(event.target.files);
  });
  document.addEventListener("paste", (event) => add(event.clipboardData.files));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    add(event.dataTransfer.files);
  });
  element("files").disabled = false;
}

async function start() {
  try {
    const about = JSON.parse(element("about").textContent);
    listen(about, await opened(about));
    element("state").textContent = "Ready. This browser gives the logits of the export.";
    document.body.dataset.state = "ready";
  } catch (error) {
    element("state").textContent = `This page cannot judge pictures here: ${error.message}`;
    document.body.dataset.state = "failed";
  }
}

start();
