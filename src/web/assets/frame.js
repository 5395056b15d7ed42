// The mail in its frame: the next state is loaded behind the one that is seen, so that nothing flashes.
import { h } from './dom.js';

/**
 * A mail shown at a width of one's choice, scaled down where there is less room.
 * @param {string} title for those who do not see it
 */
export function mailFrame(title) {
  const stage = h('div', { class: 'stage' });
  let width = 1024;
  /** @type {HTMLIFrameElement | undefined} */
  let shown;
  /** @type {HTMLIFrameElement | undefined} */
  let coming;
  const sizes = new ResizeObserver(place);
  sizes.observe(stage);

  function place() {
    const room = stage.clientWidth;
    const scale = Math.min(1, room / width);
    for (const frame of stage.querySelectorAll('iframe')) {
      frame.style.width = `${width}px`;
      frame.style.height = `${stage.clientHeight / scale}px`;
      frame.style.transform = scale < 1 ? `scale(${scale})` : '';
      frame.style.left = `${Math.max(0, (room - width * scale) / 2)}px`;
    }
  }

  return {
    stage,
    /**
     * Shows an address, and keeps the place where one was reading.
     * @param {string} url @param {string} scheme @param {() => void} [seen] called once it is on the screen
     */
    load(url, scheme, seen = () => {}) {
      coming?.remove();
      const frame = h('iframe', { title, sandbox: 'allow-same-origin', class: 'coming' });
      frame.style.colorScheme = scheme;
      frame.addEventListener('load', () => arrive(frame, seen), { once: true });
      coming = frame;
      frame.src = url;
      stage.append(frame);
      place();
    },
    /** @param {number} pixels */
    setWidth(pixels) {
      width = pixels;
      place();
    },
    close() {
      sizes.disconnect();
      stage.replaceChildren();
    },
  };

  /** @param {HTMLIFrameElement} frame @param {() => void} seen */
  function arrive(frame, seen) {
    if (frame !== coming) return;
    coming = undefined;
    frame.contentWindow?.scrollTo(0, shown?.contentWindow?.scrollY ?? 0);
    frame.contentDocument?.addEventListener('click', follow);
    frame.classList.remove('coming');
    shown?.remove();
    shown = frame;
    requestAnimationFrame(() => setTimeout(seen));
  }
}

/** Links open beside the studio; those within the mail lead to their place. @param {MouseEvent} event */
function follow(event) {
  const link = /** @type {Element} */ (event.target).closest('a[href]');
  if (!link) return;
  event.preventDefault();
  const url = link.getAttribute('href') ?? '';
  if (url.startsWith('#')) link.ownerDocument.getElementById(url.slice(1))?.scrollIntoView();
  else open(url, '_blank', 'noopener,noreferrer');
}
