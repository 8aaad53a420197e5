/** A new element with these properties and children. */
export function element(name, properties = {}, ...children) {
  const {dataset, ...others} = properties;
  const made = Object.assign(document.createElement(name), others);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

/** The elements of `root` that have a `data-part`, by its name. */
export function parts(root) {
  return Object.fromEntries([...root.querySelectorAll('[data-part]')].map(each => [each.dataset.part, each]));
}

/** A time of day with milliseconds, for people and for machines. */
export function timeElement(date) {
  const text = date.toLocaleTimeString('en-GB') + '.' + String(date.getMilliseconds()).padStart(3, '0');
  return element('time', {dateTime: date.toISOString(), textContent: text});
}

/** Tells people who don't see the screen. */
export function announce(text) {
  document.getElementById('announcement').textContent = text;
}
