/** Uses deep-agents-ui as a person does. */
export async function driveDeepAgents({ tab, checks, origin, apiUrl }) {
  const see = (text, options = {}) => tab.getByText(text, options).last().waitFor();
  const send = async (text) => {
    await tab.getByPlaceholder('Write your message...').fill(text);
    await tab.getByRole('button', { name: 'Send', exact: true }).click();
  };
  const isDone = () => tab.getByRole('button', { name: 'Send', exact: true }).waitFor();

  await checks.check('connects from its dialog', async () => {
    await tab.goto(origin);
    await tab.fill('#deploymentUrl', apiUrl);
    await tab.fill('#assistantId', 'deep');
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.getByPlaceholder('Write your message...').waitFor();
  });

  await checks.check('shows the plan, the agent inside and the file while they work', async () => {
    await send('Report about Oslo');
    await see('First a plan.');
    await see('Look it up');
    await see('researcher');
    await see('The report is in /report.md.');
    await see('All tasks completed');
    await isDone();
  });

  await checks.check('shows them again after a reload', async () => {
    await tab.reload();
    await see('Report about Oslo');
    await see('The report is in /report.md.');
    await see('All tasks completed');
    await see('Files (State)');
  });

  await checks.check('opens a file', async () => {
    await tab.getByRole('button', { name: /Files \(State\)/ }).click();
    await tab.getByRole('button', { name: '/report.md' }).click();
    await see('Sunny in Oslo.');
    await tab.keyboard.press('Escape');
    await tab.getByRole('button', { name: /Files \(State\)/ }).click();
  });

  /** @type {[string, RegExp, () => Promise<void>][]} */
  const answers = [
    ['approves a call', /Sent "Hello"/, () => tab.getByRole('button', { name: 'Approve' }).click()],
    [
      'edits a call',
      /Sent "Goodbye"/,
      async () => {
        await tab.getByRole('button', { name: 'Edit' }).click();
        await tab.locator('textarea').filter({ hasText: 'Hello' }).fill('Goodbye');
        await tab.getByRole('button', { name: 'Save & Approve' }).click();
      },
    ],
    [
      'rejects a call',
      /It said: .*Not today/,
      async () => {
        await tab.getByRole('button', { name: 'Reject' }).click();
        await tab.getByPlaceholder(/reject/i).fill('Not today');
        await tab.getByRole('button', { name: 'Confirm Reject' }).click();
      },
    ],
  ];
  for (const [title, words, answer] of answers)
    await checks.check(title, async () => {
      await send(`Write a mail (${title})`);
      await answer();
      await see(words);
      await isDone();
    });

  await checks.check('lists its threads, and opens one', async () => {
    await tab.getByRole('button', { name: 'New Thread' }).click();
    await send('A second report');
    await see('The report is in /report.md.');
    await isDone();
    await tab.getByRole('button', { name: 'Threads' }).click();
    await tab.getByRole('button', { name: /A second report/ }).waitFor();
    await tab.getByRole('button', { name: /Report about Oslo/ }).click();
    await see(/It said: .*Not today/);
  });

  await checks.check('stops an answer, and goes on', async () => {
    await tab.getByRole('button', { name: 'New Thread' }).click();
    await send('Speak slowly');
    await see(/Word after word/);
    await tab.getByRole('button', { name: 'Stop' }).click();
    await isDone();
    await send('And a report');
    await see('The report is in /report.md.');
  });

  await checks.check('changes a file', async () => {
    await tab.getByRole('button', { name: 'Settings' }).click();
    await tab.fill('#assistantId', 'notes');
    await tab.getByRole('button', { name: 'Save' }).click();
    await tab.getByRole('button', { name: 'New Thread' }).click();
    await send('Take notes');
    await see('The notes say: nothing.');
    await isDone();
    await tab.getByRole('button', { name: /Files \(State\)/ }).click();
    await tab.getByRole('button', { name: 'notes.md', exact: true }).click();
    const dialog = tab.getByRole('dialog');
    await dialog.getByText('Sun').waitFor();
    await dialog.getByRole('button', { name: 'Edit' }).click();
    await dialog.locator('textarea').fill('Rain');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.locator('textarea').waitFor({ state: 'detached' });
    // The page goes on from the state that it has read last, and reads it only when it opens.
    await tab.reload();
    await see('The notes say: nothing.');
    await send('Read them');
    await see('The notes say: Rain.');
  });
}
