// Records a notice in the browser and puts it into the form as a file, as if it had been chosen: the form does the rest.
const root = document.getElementById("recorder");
const target = root && document.getElementById(root.dataset.target);
if (root && target && window.MediaRecorder && navigator.mediaDevices && window.DataTransfer) begin(root, target);

function begin(root, target) {
  const limit = Number(root.dataset.limit);
  const find = (selector) => root.querySelector(selector);
  const buttons = { start: find("[data-do=start]"), stop: find("[data-do=stop]"), again: find("[data-do=again]") };
  const meter = find("[data-meter]");
  const level = find("meter");
  const timer = find("[data-timer]");
  const playback = find("[data-playback]");
  const status = find("[data-status]");
  let heard = "";
  let run = null;
  root.hidden = false;
  show("start");

  buttons.start.addEventListener("click", start);
  buttons.again.addEventListener("click", start);
  buttons.stop.addEventListener("click", () => finish("done"));
  // Chromium writes no length into what it records, and shows none before it has looked for the end.
  let looksForEnd = false;
  playback.addEventListener("loadedmetadata", () => {
    looksForEnd = playback.duration === Infinity;
    if (looksForEnd) playback.currentTime = 1e9;
  });
  playback.addEventListener("seeked", () => {
    if (looksForEnd) playback.currentTime = 0;
    looksForEnd = false;
  });
  // Who leaves the page, or chooses a file after all, does not go on recording.
  window.addEventListener("pagehide", () => run && close(run));
  target.addEventListener("change", () => {
    if (!run) hidePlayback();
  });

  async function start() {
    if (run) return;
    const mine = { chunks: [], why: "done" };
    run = mine;
    hidePlayback();
    say("asking");
    for (const button of [buttons.start, buttons.again]) button.disabled = true;
    try {
      mine.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
      mine.recorder = new MediaRecorder(mine.stream, { mimeType: typeOfSound(), audioBitsPerSecond: 64000 });
      mine.recorder.addEventListener("dataavailable", (event) => event.data.size && mine.chunks.push(event.data));
      mine.recorder.addEventListener("stop", () => keep(mine));
      mine.recorder.start(500);
    } catch (error) {
      close(mine);
      run = null;
      show("start");
      say(reasonOf(error));
      return;
    } finally {
      for (const button of [buttons.start, buttons.again]) button.disabled = false;
    }
    mine.began = performance.now();
    watch(mine);
    show("stop");
    say("recording");
    buttons.stop.focus();
  }

  function finish(why) {
    if (!run || !run.recorder || run.recorder.state === "inactive") return;
    run.why = why;
    run.recorder.stop();
  }

  function keep(mine) {
    close(mine);
    run = null;
    const type = mine.recorder.mimeType.split(";")[0] || "audio/webm";
    const name = `recording.${{ "audio/mp4": "m4a", "audio/ogg": "ogg" }[type] || "webm"}`;
    const file = new File(mine.chunks, name, { type });
    const chosen = new DataTransfer();
    chosen.items.add(file);
    target.files = chosen.files;
    heard = URL.createObjectURL(file);
    playback.src = heard;
    playback.hidden = false;
    show("again");
    say(mine.why);
    playback.focus();
  }

  function watch(mine) {
    const context = new AudioContext();
    const listener = context.createAnalyser();
    mine.context = context;
    listener.fftSize = 1024;
    context.createMediaStreamSource(mine.stream).connect(listener);
    const samples = new Float32Array(listener.fftSize);
    const look = () => {
      if (run !== mine) return;
      const seconds = (performance.now() - mine.began) / 1000;
      listener.getFloatTimeDomainData(samples);
      level.value = Math.max(...samples.map(Math.abs));
      timer.textContent = Math.min(seconds, limit).toLocaleString(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
      if (seconds >= limit) finish("full");
    };
    // Not by frames: a page in the background still ends its recording in time.
    mine.clock = setInterval(look, 100);
    meter.hidden = false;
  }

  function close(mine) {
    clearInterval(mine.clock);
    if (mine.recorder && mine.recorder.state !== "inactive") mine.recorder.stop();
    for (const track of mine.stream ? mine.stream.getTracks() : []) track.stop();
    if (mine.context) mine.context.close();
    meter.hidden = true;
    level.value = 0;
  }

  function hidePlayback() {
    playback.hidden = true;
    playback.removeAttribute("src");
    if (heard) URL.revokeObjectURL(heard);
    heard = "";
  }

  function show(which) {
    for (const [name, button] of Object.entries(buttons)) button.hidden = name !== which;
  }

  function say(what) {
    status.textContent = find(`template[data-say=${what}]`).content.textContent;
  }
}

function typeOfSound() {
  const known = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
  return known.find((type) => MediaRecorder.isTypeSupported(type)) || "";
}

function reasonOf(error) {
  if (error && (error.name === "NotAllowedError" || error.name === "SecurityError")) return "refused";
  if (error && (error.name === "NotFoundError" || error.name === "OverconstrainedError")) return "missing";
  return "failed";
}
