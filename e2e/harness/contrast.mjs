// What of a page is too faint to read, or has no name for a screen reader.

/** Texts whose contrast with what is behind them is below WCAG AA, as "ratio text (class)". */
export function faintTexts(page) {
  return page.evaluate(() => {
    const pen = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
    const rgba = (color) => {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = color;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
    const light = ([r, g, b]) => {
      const [x, y, z] = [r, g, b].map((each) => (each / 255 <= 0.03928 ? each / 255 / 12.92 : ((each / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const parents = (element) => (element ? [element, ...parents(element.parentElement)] : []);
    const behind = (element) => {
      const layers = parents(element).map((each) => rgba(getComputedStyle(each).backgroundColor));
      const solid = layers.findIndex(([, , , a]) => a > 0.99);
      return layers.slice(0, solid < 0 ? layers.length : solid + 1).reduceRight((under, layer) => over(layer, under), [255, 255, 255, 1]);
    };
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode.data.trim();
      const element = walker.currentNode.parentElement;
      if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest('.unseen, [inert], :disabled, [aria-disabled="true"], .skip')) continue;
      const style = getComputedStyle(element);
      const opacity = parents(element).reduce((all, each) => all * Number(getComputedStyle(each).opacity), 1);
      const back = behind(element);
      const [r, g, b, a] = rgba(style.color);
      const front = over([r, g, b, a * opacity], back);
      const [one, two] = [light(front), light(back)];
      const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5) - 0.01) found.add(`${ratio.toFixed(2)} ${text.slice(0, 30)} (${element.className})`);
    }
    return [...found];
  });
}

/** Visible things to press that have no words. */
export function namelessControls(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('button, a[href], input, select, textarea, [role="option"], article[tabindex]')]
      .filter((each) => each.checkVisibility())
      .filter((each) => !(each.getAttribute('aria-label') || each.textContent.trim() || each.labels?.length || each.title || each.getAttribute('aria-labelledby')))
      .map((each) => each.outerHTML.slice(0, 120)),
  );
}
