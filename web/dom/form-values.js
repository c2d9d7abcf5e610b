/** Returns the values of a form's controls that have a name, by name. */
export function readValues(form) {
  const named = [...form.elements].filter(({ name }) => name);
  return Object.fromEntries(named.map((control) => [control.name, readValue(control)]));
}

/** Gives the controls the values that `readValues` returned. Those that have none there stay as they are. */
export function fillIn(form, values) {
  for (const control of form.elements) {
    if (!control.name || !Object.hasOwn(values, control.name)) continue;
    const value = values[control.name];
    if (control.type === 'checkbox') control.checked = value === true;
    else if (control.type === 'select-multiple')
      for (const option of control.options) option.selected = value.includes(option.value);
    else control.value = value;
  }
}

function readValue({ type, checked, selectedOptions, value }) {
  if (type === 'checkbox') return checked;
  return type === 'select-multiple' ? [...selectedOptions].map((option) => option.value) : value;
}
