"""What decides which token sequences are canonical: machines that read tokens.

A sequence is canonical if some text, well-formed UTF-8, has an encoding that begins with it.
A machine is in a state, a small integer, and says which tokens may come next and whether a text
may end. `build` puts one together for a tokenizer, from the outside in::

    WithAdded               added tokens that are text are cut out first
    └─ Composed             accents are joined to letters, as NFC does
       └─ Product           where pieces begin, and what they become
          ├─ TokenCuts      an automaton over characters (`Cuts`)
          └─ one of these, for what pieces become (`PieceGrammar`)
             ├─ Pairs       byte-pair encoding
             ├─ Longest     the longest match
             ├─ WordPiece   the longest match within words
             └─ Viterbi     unigram models
    Witness                 any other tokenizer, by trying texts; not exact
    Free                    every sequence, for the definition ``all``

Where a machine is not needed, what is inside it takes its place; `Apart` stands around a
`PieceGrammar` whose pieces have texts set apart in them. Machines know each other by their
`protocols` alone, and number their `states` in one way.

`uses` asks the other way round: whether some text gives a token.

Where a pre-tokenizer cuts is found out from itself, once for each tokenizer: what happens to a
text before it is segmented (`cuts_pipeline`), which characters matter to that (`cuts_survey`,
`cuts_sifting`), and from the cuts of chosen texts (`cuts_oracles`) the smallest automaton that
knows all cuts (`cuts_learning`), which is then followed token by token (`cuts`).
"""
