/** The title of the tab and its icon: what is open, and what waits for this person. */

let words = '';
let waiting = 0;
let unread = 0;
const plainIcon = document.querySelector('link[rel="icon"]')?.getAttribute('href') ?? '';
let drawn = '';

/** @param {string} title what is open; empty: only the product */
export function setTitle(title) {
  words = title;
  paint();
}

/** @param {{ approvals: number, unread: number }} counts */
export function setWaiting(counts) {
  waiting = counts.approvals;
  unread = counts.unread;
  paint();
}

function paint() {
  const title = [waiting > 0 && `(${waiting})`, words, words && '·', 'Otter'].filter(Boolean).join(' ');
  if (document.title !== title) document.title = title;
  paintIcon();
}

/** A mark on the icon while nobody looks: how many approvals wait, else that something is unread. */
function paintIcon() {
  const hidden = document.visibilityState === 'hidden';
  const mark = hidden && waiting > 0 ? String(Math.min(waiting, 9)) : hidden && unread > 0 ? 'dot' : '';
  if (mark === drawn) return;
  drawn = mark;
  const link = document.querySelector('link[rel="icon"]');
  if (!link) return;
  link.setAttribute('href', plainIcon);
  if (mark) draw(mark).then((href) => drawn === mark && link.setAttribute('href', href), () => {});
}

/** @param {string} mark */
async function draw(mark) {
  const image = new Image(64, 64);
  image.src = plainIcon;
  await image.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  pen.drawImage(image, 0, 0, 64, 64);
  const isCount = mark !== 'dot';
  pen.fillStyle = isCount ? '#c2473d' : '#0d7f86';
  pen.beginPath();
  pen.arc(45, 19, isCount ? 19 : 13, 0, 2 * Math.PI);
  pen.fill();
  if (isCount) {
    pen.fillStyle = '#fff';
    pen.font = 'bold 30px system-ui, sans-serif';
    pen.textAlign = 'center';
    pen.fillText(mark, 45, 30);
  }
  return canvas.toDataURL();
}

document.addEventListener('visibilitychange', paintIcon);
