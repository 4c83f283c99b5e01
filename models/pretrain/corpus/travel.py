"""Restaurants, hotels, sights and trains: facts, sentences that say them, and talk.

ConvLab carries tens of thousands of sentences that people wrote for MultiWOZ,
sorted by what they say, with slots in place of values (`#RESTAURANT-INFORM-FOOD#`).
Filled from its database they become sentences, tables with the sentence that says
them, and short conversations about one place."""

import json
import random
import re
from pathlib import Path

SLOT = re.compile(r"#(\w+)-(\w+)-(\w+)#")
LABEL = {
    "Addr": "address", "Post": "postcode", "Price": "price range", "Food": "food", "Area": "area", "Name": "name",
    "Phone": "phone", "Fee": "entrance fee", "Type": "type", "Stars": "stars", "Internet": "internet",
    "Parking": "parking", "Ref": "reference", "Id": "train", "Leave": "leaves at", "Arrive": "arrives by",
    "Dest": "to", "Depart": "from", "Day": "day", "Ticket": "price", "Time": "time", "People": "people",
    "Stay": "nights", "Choice": "choices", "Car": "car", "Open": "open", "Department": "department",
}
NUMBER = "two three four five six seven eight nine ten twelve several".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
TABLES = (  # one line of facts, as people write them
    lambda facts: ", ".join(f"{k}: {v}" for k, v in facts),
    lambda facts: ", ".join(f"{k}[{v}]" for k, v in facts),
    lambda facts: "; ".join(f"{k} = {v}" for k, v in facts),
    lambda facts: " | ".join(f"{k} | {v}" for k, v in facts),
    lambda facts: "\n".join(f"{k}: {v}" for k, v in facts),
)


def title(name: str) -> str:
    return re.sub(r"(^|[ (-])([a-z])", lambda m: m[1] + m[2].upper(), name)


class Database:
    """Entities of each domain; `value` gives a slot's value for one of them."""

    def __init__(self, folder: Path):
        read = lambda name: json.loads((folder / f"{name}_db.json").read_text())
        self.entities = {d: read(d.lower()) for d in ("Restaurant", "Hotel", "Attraction", "Train", "Hospital")}

    def entity(self, domain: str, rng: random.Random) -> dict:
        return rng.choice(self.entities.get(domain) or self.entities["Restaurant"])

    def value(self, domain: str, slot: str, entity: dict, rng: random.Random) -> str:
        place = lambda: title(rng.choice(self.entities[rng.choice(["Restaurant", "Hotel", "Attraction"])])["name"])
        clock = lambda: f"{rng.randrange(5, 24):02}:{rng.randrange(0, 60, 5):02}"
        if domain == "Train" and slot in ("Dest", "Depart", "Leave", "Arrive", "Ticket", "Time", "Day", "Id"):
            key = {"Dest": "destination", "Depart": "departure", "Leave": "leaveAt", "Arrive": "arriveBy",
                   "Ticket": "price", "Time": "duration", "Day": "day", "Id": "trainID"}[slot]
            return entity[key] if slot == "Id" else title(entity[key]) if slot in ("Dest", "Depart", "Day") else entity[key]
        match slot:
            case "Name":
                return title(entity["name"]) if "name" in entity else place()
            case "Addr":
                return title(entity.get("address", "Regent Street"))
            case "Post":
                code = entity.get("postcode", "cb21ab").replace(" ", "").upper()
                return f"{code[:-3]} {code[-3:]}"
            case "Phone":
                return entity.get("phone", "01223" + str(rng.randrange(100000, 999999)))
            case "Food":
                return title(entity.get("food", "italian")).replace("North american", "North American")
            case "Area":
                return entity.get("area", "centre")
            case "Price":
                price = entity.get("pricerange", "moderate")
                return "moderate" if price == "?" else price
            case "Fee":
                fee = entity.get("entrance fee", "free")
                return "free" if fee == "?" else fee
            case "Type":
                kind = entity.get("type", "hotel")
                return {"swimmingpool": "swimming pool", "concerthall": "concert hall", "mutliple sports": "sports",
                        "nightclub": "night club"}.get(kind, kind)
            case "Stars":
                return entity.get("stars", "4")
            case "Internet" | "Parking":
                return entity.get(slot.lower(), "free") if rng.random() < 0.3 else "free " + slot.lower()
            case "Ref":
                return "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(8))
            case "Day":
                return rng.choice(DAYS)
            case "Time" | "Leave" | "Arrive":
                return clock()
            case "People" | "Stay":
                return str(rng.randrange(2, 8))
            case "Choice":
                return rng.choice(NUMBER)
            case "Car":
                return f"{rng.choice('black white red yellow blue grey'.split())} {rng.choice('Toyota Skoda BMW Honda Ford Audi Lexus Volvo Tesla'.split())}"
            case "Dest" | "Depart":
                return place()
            case "Department":
                return entity.get("department", "general medicine")
        return rng.choice(NUMBER)


def detokenise(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ([.,?!;:)])", r"\1", text).replace("( ", "(")
    text = re.sub(r" ' (s|m|re|ll|ve|d|t)\b", r"'\1", text)
    text = re.sub(r" (n't|'s|'m|'re|'ll|'ve|'d)\b", r"\1", text)
    text = re.sub(r"\bi\b", "I", text)
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), text)


def fill(template: str, entity: dict, db: Database, rng: random.Random):
    """Returns (facts, sentence): the slot values in order, and the text that says them."""
    facts, seen = [], {}

    def put(m):
        domain, slot = m[1].title(), m[3].title()
        if slot in seen:  # a second place, day or price is another one
            value = db.value(domain, slot, db.entity(domain, rng), rng)
        else:
            value = db.value(domain, slot, entity, rng)
        seen[slot] = value
        facts.append((LABEL.get(slot, slot.lower()), value))
        return value

    template = re.sub(r"\b([Aa])n? (?=#)", r"\1~ ", template)  # a or an waits for the value
    text = SLOT.sub(put, template)
    text = re.sub(r"\b([Aa])~ (?=(.))", lambda m: m[1] + ("n " if m[2] in "aeiouAEIO8" else " "), text)
    return facts, detokenise(text)


def documents(folder: Path):
    """Yields (kind, unit, text): kind is the domain and the table's notation, unit is the unfilled sentence, so that no held-out text
    has a sentence of the training text with other names in it."""
    root = folder / "convlab-3.0.1" / "convlab"
    db = Database(root / "human_eval" / "db")
    rng = random.Random(1)
    read = lambda who: json.loads((root / f"nlg/template/multiwoz/auto_{who}_template_nlg.json").read_text())
    system, user = read("system"), read("user")
    for acts in (system, user):
        for act, says in sorted(acts.items()):
            domain = act.split("-")[0]
            for template in sorted({t for ts in says.values() for t in ts}):
                if len(template.split()) < 3:
                    continue
                for _ in range(2 if "#" in template else 1):
                    facts, text = fill(template, db.entity(domain, rng), db, rng)
                    form = "plain"
                    if facts and acts is system and rng.random() < 0.75:
                        rng.shuffle(facts)
                        kind = [] if domain in ("Booking", "general") else [("type", domain.lower())]
                        form = rng.randrange(len(TABLES))
                        text = TABLES[form](kind[: rng.randrange(2)] + facts) + "\n" + text
                    yield f"{domain} {form}", template, text
    yield from talks(system, user, db, rng)
    for entity in db.entities["Restaurant"]:
        if entity.get("introduction"):
            yield "introduction", entity["name"], detokenise(title(entity["name"]) + ": " + entity["introduction"] + ".")


def talks(system, user, db, rng, count=14000):
    """Yields (kind, units, text) of conversations about one place: a wish, an offer, a
    question, its answer, thanks. units are the sentences used, joined by newlines."""
    for _ in range(count):
        domain = rng.choice(["Restaurant", "Restaurant", "Hotel", "Attraction"])
        place = db.entity(domain, rng)
        wishes = [k for k in user[f"{domain}-Inform"] if 0 < len(set(k.split(";")) - {"", "none"} & set("Food Area Price Type Stars".split())) <= 3]
        offers = [(a, k) for a in (f"{domain}-Inform", f"{domain}-Recommend") for k in system[a] if "Name" in k and k.count("Name") == 1 and "Choice" not in k]
        asks = [k for k in user[f"{domain}-Request"] if k in system[f"{domain}-Inform"] and k != "Ref;"]
        act, offer = rng.choice(offers)
        ask = rng.choice(asks)
        lines = [rng.choice(user[f"{domain}-Inform"][rng.choice(wishes)]), rng.choice(system[act][offer])]
        if rng.random() < 0.7:
            lines += [rng.choice(user[f"{domain}-Request"][ask]), rng.choice(system[f"{domain}-Inform"][ask])]
        if rng.random() < 0.5:
            lines += [rng.choice(user["general-thank"]["none;"]), rng.choice(system[rng.choice(["general-welcome", "general-bye"])]["none;"])]
        said = [fill(line, place, db, rng)[1] for line in lines]
        yield f"{domain} talk", "\n".join(lines), "\n".join(f"{'AB'[i % 2]}: {s}" for i, s in enumerate(said))
