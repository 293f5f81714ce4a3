// Plays both tracks of a tried call in step, and moves a cursor over their pictures. Each player works without it.
const root = document.getElementById("tracks");
if (root) begin(root);

function begin(root) {
  const seconds = Number(root.dataset.seconds) || 1;
  const players = [...root.querySelectorAll("audio")];
  const cursors = [...root.querySelectorAll(".track__cursor")];
  const play = root.querySelector("[data-do=play]");
  const pause = root.querySelector("[data-do=pause]");
  const timer = root.querySelector("[data-timer]");
  const [lead] = players;
  let together = false;
  let heard = lead;
  root.querySelector(".console-tracks__both").hidden = false;

  play.addEventListener("click", async () => {
    const from = lead.ended || heard.ended ? 0 : heard.currentTime;
    for (const player of players) player.currentTime = from;
    together = true;
    show();
    try {
      await Promise.all(players.map((player) => player.play()));
    } catch {
      stop();
    }
  });
  pause.addEventListener("click", () => {
    stop();
    play.focus();
  });

  for (const player of players) {
    player.addEventListener("play", () => {
      heard = player;
      requestAnimationFrame(move);
    });
    player.addEventListener("seeked", () => {
      heard = player;
      // Whoever moves one track while both play moves the other with it.
      if (together) for (const other of players) if (Math.abs(other.currentTime - player.currentTime) > 0.15) other.currentTime = player.currentTime;
      place();
    });
    // Who stops one track at its own player stops both; a track that has ended has done nothing of the sort.
    player.addEventListener("pause", () => {
      if (together && !player.ended) stop();
    });
    player.addEventListener("ended", () => {
      if (players.every((each) => each.ended || each.paused)) stop();
    });
  }

  function stop() {
    together = false;
    for (const player of players) player.pause();
    show();
    place();
  }

  function show() {
    play.hidden = together;
    pause.hidden = !together;
    if (together) pause.focus();
  }

  function move() {
    if (together) keepStep();
    place();
    if (players.some((player) => !player.paused && !player.ended)) requestAnimationFrame(move);
  }

  // Two players drift apart by some milliseconds a minute; what is heard as an echo begins at about a tenth of a second.
  function keepStep() {
    for (const player of players.slice(1)) {
      if (!player.seeking && Math.abs(player.currentTime - lead.currentTime) > 0.1) player.currentTime = lead.currentTime;
    }
  }

  function place() {
    const at = Math.min(heard.currentTime, seconds);
    const where = `${(100 * at) / seconds}%`;
    for (const cursor of cursors) {
      cursor.setAttribute("x1", where);
      cursor.setAttribute("x2", where);
    }
    timer.textContent = at.toLocaleString(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  }
}
