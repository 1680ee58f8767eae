// Ranks the results of the search: a page whose title holds a searched word is first, before the
// terms of the glossary (100). The other scores are Sphinx's own.
const wordsOf = (text) => text.toLowerCase().match(/[a-z0-9]+/g) || [];
const searched = wordsOf(new URLSearchParams(location.search).get("q") || "");

var Scorer = {
  score: ([page, title, anchor, about, score, file]) => {
    const words = wordsOf(title);
    return score + (anchor === "" && searched.some((word) => words.includes(word)) ? 200 : 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
