import { el, say, set } from '../dom/el.js';
import { icon } from '../dom/icons.js';
import { isComposing } from '../dom/keys.js';

const LONGEST = '2000';

/** Thumbs for an answer, and a field for words about it. */
export class FeedbackBar {
  #actions;
  #runId;
  #feedback;
  #up = this.#thumb('up', 'Good answer');
  #down = this.#thumb('down', 'Bad answer');
  #words = el(
    'button',
    {
      type: 'button',
      class: 'quiet-link',
      hidden: true,
      on: { click: () => this.#open(this.#feedback.rating) },
    },
    'Add words',
  );
  #form;
  /** The rating that the form's words are about. */
  #subject;
  /** For the foot of the answer. */
  element = el(
    'span',
    { class: 'feedback', role: 'group', 'aria-label': 'Feedback on this answer' },
    this.#up,
    this.#down,
    this.#words,
  );
  /** For the place below the foot. */
  below = el('div', { class: 'feedback-below' });

  /** @param actions `rate(runId, feedback)`, `readEdit(place)`, `writeEdit(place, text)` */
  constructor(actions) {
    this.#actions = actions;
  }

  update({ runId, feedback }) {
    this.#runId = runId;
    if (this.#feedback === feedback) return;
    this.#feedback = feedback;
    set(this.#up, 'aria-pressed', String(feedback?.rating === 'up'));
    set(this.#down, 'aria-pressed', String(feedback?.rating === 'down'));
    say(this.#words, feedback?.comment ? 'Edit words' : 'Add words');
    set(this.#words, 'hidden', !feedback || this.#form !== undefined);
    set(this.#words, 'title', feedback?.comment);
    if (feedback?.rating !== this.#subject) this.#close();
  }

  /** Words stay with the rating that they were written for. */
  #toPlace(rating) {
    return `${this.#runId}/feedback/${rating}`;
  }

  #thumb(rating, label) {
    const click = () => this.#rate(rating);
    return el(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'data-rating': rating,
        'aria-label': label,
        'aria-pressed': 'false',
        title: label,
        on: { click },
      },
      icon('thumb'),
    );
  }

  async #rate(rating) {
    const { rating: before, comment } = this.#feedback ?? {};
    // Its words are there if the person changes their mind.
    if (comment) this.#actions.writeEdit(this.#toPlace(before), comment);
    // Pressed once more, it is taken back.
    if (before === rating) return this.#actions.rate(this.#runId, null);
    const stored = this.#actions.rate(this.#runId, { rating });
    this.#close();
    if (rating === 'down') this.#open(rating);
    await stored;
  }

  #open(rating) {
    if (this.#form) return;
    const place = this.#toPlace(rating);
    this.#subject = rating;
    const field = el('textarea', {
      rows: '2',
      dir: 'auto',
      maxlength: LONGEST,
      'aria-label': 'Words about this answer',
      placeholder: rating === 'up' ? 'What was good?' : 'What was wrong?',
    });
    field.value = this.#actions.readEdit(place) || this.#findComment(rating);
    const leave = () => {
      this.#actions.writeEdit(place, '');
      this.#close();
      (this.#words.hidden ? this.#down : this.#words).focus({ preventScroll: true });
    };
    const send = async () => {
      const comment = field.value.trim();
      if (await this.#actions.rate(this.#runId, { rating, ...(comment && { comment }) })) leave();
    };
    this.#form = el(
      'form',
      { class: 'message-editor', 'aria-label': 'Feedback' },
      field,
      el(
        'div',
        { class: 'message-editor-bar' },
        el('small', {}, 'For the people who run this service. The agent does not read it.'),
        el('button', { type: 'button', on: { click: leave } }, 'Cancel'),
        el('button', { type: 'submit', class: 'primary' }, 'Send feedback'),
      ),
    );
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void send();
    });
    field.addEventListener('input', () => this.#actions.writeEdit(place, field.value));
    field.addEventListener('keydown', (event) => {
      if (isComposing(event)) return;
      if (event.key === 'Escape') leave();
      else if (event.key === 'Enter' && !event.shiftKey) void send();
      else return;
      event.preventDefault();
      // Escape ends this, and not the answer.
      event.stopPropagation();
    });
    this.below.replaceChildren(this.#form);
    set(this.#words, 'hidden', true);
    this.below.scrollIntoView({ block: 'nearest' });
    if (matchMedia('(pointer: fine)').matches) field.focus({ preventScroll: true });
  }

  /** Returns the words that are stored with a rating. */
  #findComment(rating) {
    return this.#feedback?.rating === rating ? (this.#feedback.comment ?? '') : '';
  }

  #close() {
    this.#form = undefined;
    this.#subject = undefined;
    this.below.replaceChildren();
    set(this.#words, 'hidden', !this.#feedback);
  }
}
