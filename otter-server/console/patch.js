/**
 * Makes an element look like another one and keeps as many of its nodes as it can. Text that goes on is added to.
 *
 * @param {any} old @param {any} next what it is to look like; it is used up
 * @returns {boolean} false when they are not of one kind, and nothing was done
 */
export function patch(old, next) {
  if (old.nodeType !== next.nodeType || old.nodeName !== next.nodeName) return false;
  if (old.nodeType === Node.TEXT_NODE) patchText(old, next.data);
  else patchElement(old, next);
  return true;
}

/** @param {any} old @param {string} data */
function patchText(old, data) {
  if (old.data === data) return;
  if (data.startsWith(old.data)) old.appendData(data.slice(old.data.length));
  else old.data = data;
}

/** @param {any} old @param {any} next */
function patchElement(old, next) {
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const children = [...next.childNodes];
  children.forEach((child, at) => {
    const was = old.childNodes[at];
    if (!was) old.append(child);
    else if (!patch(was, child)) was.replaceWith(child);
  });
  while (old.childNodes.length > children.length) old.lastChild.remove();
}
