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

const shown = new WeakMap(); // what each list shows, as text

/**
 * Shows `data` in a list, unless it does: what has the focus, or is being clicked on, stays.
 *
 * @param {() => HTMLElement} otherwise gets the focus where no button is left that could
 * @returns {boolean} whether that was news
 */
export function showItems(list, data, toElement, otherwise) {
  const text = JSON.stringify(data);
  if (shown.get(list) === text) {
    return false;
  }
  shown.set(list, text);
  const focused = list !== document.activeElement && list.contains(document.activeElement);
  const label = focused && document.activeElement.getAttribute('aria-label');
  list.replaceChildren(...data.map(toElement));
  if (focused) {
    const buttons = [...list.querySelectorAll('button')];
    const next = buttons.find(each => each.getAttribute('aria-label') === label) ?? buttons[0];
    (next ?? otherwise?.())?.focus();
  }
  return true;
}

/** A time of day with milliseconds, for people and for machines. */
export function timeElement(date) {
  const text = date.toLocaleTimeString('en-GB') + '.' + String(date.getMilliseconds()).padStart(3, '0');
  return element('time', {dateTime: date.toISOString(), textContent: text});
}

/** An item of a list that shows a text, with a button to copy it. */
export function copyItem(name, text) {
  const code = element('code', {textContent: text, tabIndex: 0});
  const label = element('span', {textContent: name});
  if (!navigator.clipboard) { // it is for pages over https, and of this machine
    return element('li', {}, label, code);
  }
  const copy = element('button', {type: 'button', className: 'small', textContent: 'Copy'});
  copy.setAttribute('aria-label', `Copy the line: ${name}`);
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      announce('The line is in the clipboard.');
      copy.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(code); // the browser does not let us, so the user may
      announce('The line is selected.');
    }
    setTimeout(() => (copy.textContent = 'Copy'), 1_500);
  };
  return element('li', {}, label, code, copy);
}

/** Tells people who don't see the screen. */
export function announce(text) {
  document.getElementById('announcement').textContent = text;
}
