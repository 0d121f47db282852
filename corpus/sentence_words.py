"""The words the sentence rules know: abbreviations, and words that open a sentence."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A stop after these never ends a sentence.
LEADS_ON = _words("v vs e.g i.e cf viz")

# Nor after these, when written with a capital: titles before a name.
TITLES = _words("""
    mr mrs ms mx dr prof gen lt col sgt capt cpl maj cmdr rev hon sen rep gov pres atty supt fr mt ft msgr messrs mme
    mlle sens reps gens govs drs profs brig pvt lt.gen maj.gen
""")

# These may well end a sentence, but do so only before a word that clearly opens one ("Acme Inc. It ...").
SHORTENED = _words("""
    inc corp co ltd jr sr bros plc llc st ave blvd rd dept univ assn est al ph.d ala ariz ark calif colo conn del fla
    ga ill ind kan ky la mass md mich minn miss mo mont neb nev okla ore pa penn tenn tex va vt wash wis wyo jan feb
    mar apr jun jul aug sep sept oct nov dec tues thur thurs
""")

# These lead to a number: "No. 10", "Jan. 6", "pp. 3".
BEFORE_NUMBER = _words("""
    no nos nr p pp vol fig figs eq sec art ch ca c approx jan feb mar apr jun jul aug sep sept oct nov dec
""")
BEFORE_NUMBER_IN_LOWER_CASE = _words("no nos nr p pp vol fig figs eq ca c approx")

# sentencex takes these for abbreviations when they are written with a capital.
WHOLE_WORDS = _words("may me bart")

# Words that open sentences and rarely continue a name.
OPENERS = _words("""
    the a an this that these those it its it's it’s he he's he’s she she's she’s they we we're we’re you i his her
    their our my in on at by for from with to of as after before but and or so yet also however if when while where
    who what why how there here then now although though since because despite during meanwhile not no some many most
    all both one two more another each every such under over according last earlier later is are was were officials
    police
""")

HOURS = _words("a.m p.m")

# What follows an hour ("5 a.m. EST", "6 p.m. Monday") without opening a sentence.
AFTER_HOUR = _words("""
    est edt et cst cdt ct mst mdt mt pst pdt pt gmt utc bst cet cest ist jst aest eastern central mountain pacific
    local monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december jan feb mar apr aug sept oct nov dec
""")

# German writes days as "3. Mai". Left out are the months that an English sentence may open with.
GERMAN_MONTHS = _words("januar jänner februar märz mai juni juli oktober dezember")
