import { attribute, h, show, text, watch } from '../dom.js';
import { notify } from '../notices.js';
import { THEMES, setTheme, theme } from '../theme.js';
import { avatar } from './avatar.js';
import { help } from './help.js';
import { openMenu } from './menu.js';

const THEME_WORDS = { system: 'As the system says', light: 'Light', dark: 'Dark' };

/** Who is signed in here, and what belongs to this browser. @param {any} client */
export function selfMenu(client) {
  const face = avatar();
  const name = h('span', { class: 'who' });
  const button = h('button', { type: 'button', class: 'self', 'data-testid': 'self', 'aria-haspopup': 'menu', onclick: open }, face.element, name);

  function open() {
    const self = client.self.get();
    openMenu(button, [
      { heading: true, label: [self?.name, self?.role, self?.org].filter(Boolean).join(' · ') },
      null,
      { heading: true, label: 'Colours' },
      ...THEMES.map((each) => ({ label: THEME_WORDS[each], checked: theme() === each, run: () => setTheme(each) })),
      null,
      { label: 'Keyboard', hint: '?', run: help },
      { label: 'Sign out', run: signOut },
    ]);
  }

  watch(client.self, (self) => {
    show(button, Boolean(self));
    if (!self) return;
    face.set(self.id, self.name ?? self.id);
    text(name, self.name ?? '');
    attribute(button, 'aria-label', `${self.name ?? 'You'}: settings`);
    button.title = [self.name, self.role, self.org].filter(Boolean).join(' · ');
  });
  return button;
}

/** Ends the session of this browser: the hub closes its sockets, and the page says so. */
async function signOut() {
  try {
    const answer = await fetch(new URL('auth/logout', new URL('.', location.href)), { method: 'POST', headers: { 'content-type': 'application/json' } });
    if (!answer.ok) throw new Error(`the hub answered ${answer.status}`);
  } catch (error) {
    notify('sign-out', { words: 'You are still signed in', detail: String(/** @type {any} */ (error).message ?? error), tone: 'bad', lasts: 0, actions: [['Try again', signOut]] });
  }
}
