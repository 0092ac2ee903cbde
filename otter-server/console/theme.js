/** Light, dark, or as the system says. @typedef {'system' | 'light' | 'dark'} Theme */

const KEY = 'otter.theme';
/** @type {readonly Theme[]} */
export const THEMES = ['system', 'light', 'dark'];
const PAPER = { light: '#e9f0ef', dark: '#0c1618' };

/** @returns {Theme} */
export const theme = () => /** @type {Theme} */ (document.documentElement.dataset.theme ?? 'system');

/** @param {Theme} chosen */
export function setTheme(chosen) {
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    const own = meta.getAttribute('media')?.includes('dark') ? 'dark' : 'light';
    meta.setAttribute('content', PAPER[chosen === 'system' ? own : chosen]);
  }
  try {
    if (chosen === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, chosen);
  } catch {
    // Only a preference.
  }
}
