// Checks, with nothing but this file: every quote stands in its article's text at its place, is what is shown above,
// and every article's text has the hash that was written down when the question was answered.
const pack = JSON.parse(document.getElementById('pack').textContent);
const verdict = document.getElementById('check');
const flat = (text) => text.trim().split(/\s+/u).join(' ');
// Characters that the page leaves out because they would reorder or hide what a person reads.
const shown = (text) => flat(text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufff9-\ufffb]/gu, ''));

function checkQuotes() {
  const problems = [];
  const articles = new Map(pack.articles.map((article) => [`${article.id} ${article.version}`, Array.from(article.text)]));
  const quotes = new Map();
  for (const citation of pack.answer.citations) {
    quotes.set(citation.n, citation.quote);
    const text = articles.get(`${citation.article_id} ${citation.version}`);
    if (!text || text.slice(citation.start, citation.end).join('') !== citation.quote) {
      problems.push(`Quote ${citation.n} does not stand in its article at its place.`);
    }
    const mark = document.querySelector(`[data-quote="${citation.n}"]`);
    if (!mark || shown(mark.textContent) !== shown(citation.quote)) {
      problems.push(`Quote ${citation.n} is not the one shown.`);
    }
  }
  const printed = Array.from(document.querySelectorAll('.statement'), (part) => part.textContent);
  pack.answer.statements.forEach((statement, place) => {
    const own = statement.citations.map((n) => quotes.get(n) ?? '');
    if (own.length === 0 || own.includes('')) problems.push(`Statement ${place + 1} has no quote.`);
    if (statement.support === 'verbatim' && !own.some((quote) => flat(quote) === flat(statement.text))) {
      problems.push(`Statement ${place + 1} is not what its article says.`);
    }
    if (!shown(printed[place] ?? '').startsWith(shown(statement.text))) {
      problems.push(`Statement ${place + 1} is not the one shown.`);
    }
  });
  return problems;
}

async function checkHashes() {
  const problems = [];
  for (const article of pack.articles) {
    const bytes = new TextEncoder().encode(article.text);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (hex !== article.sha256) problems.push(`The text of “${article.title}” is not the one that was read.`);
  }
  return problems;
}

async function check() {
  const problems = checkQuotes();
  const canHash = Boolean(window.crypto && crypto.subtle);
  if (canHash) problems.push(...await checkHashes());
  const n = pack.answer.citations.length;
  const well = n ? `${n === 1 ? 'The quote stands' : `All ${n} quotes stand`} in the text at the place named` : 'Nothing is quoted';
  const hashes = canHash ? 'the text has the hash that was written down' : 'hashes cannot be computed here';
  verdict.textContent = problems.length ? `Do not trust this file. ${problems.join(' ')}` : `Checked: ${well}, and ${hashes}.`;
  verdict.className = problems.length ? 'bad' : 'good';
}

check();
