"""Seats of government: news says "Kigali" and means Rwanda."""

from __future__ import annotations

from functools import lru_cache

from qa.words import stem_word

# Only where the city's name is one word and no country's or person's too ("Victoria", "Singapore", "Mexico City").
_SEATS = """
Abuja Nigeria, Accra Ghana, Algiers Algeria, Amman Jordan, Ankara Turkey, Antananarivo Madagascar, Ashgabat
Turkmenistan, Asmara Eritrea, Astana Kazakhstan, Asuncion Paraguay, Athens Greece, Baghdad Iraq, Baku Azerbaijan,
Bamako Mali, Bangkok Thailand, Banjul Gambia, Beijing China, Beirut Lebanon, Belgrade Serbia, Berlin Germany, Bern
Switzerland, Bishkek Kyrgyzstan, Bogota Colombia, Brasilia Brazil, Bratislava Slovakia, Brussels EU, Bucharest
Romania, Budapest Hungary, Bujumbura Burundi, Cairo Egypt, Canberra Australia, Caracas Venezuela, Chisinau Moldova,
Colombo Lanka, Conakry Guinea, Copenhagen Denmark, Dakar Senegal, Damascus Syria, Dhaka Bangladesh, Dodoma Tanzania,
Doha Qatar, Dublin Ireland, Dushanbe Tajikistan, Freetown Leone, Gaborone Botswana, Hanoi Vietnam, Harare Zimbabwe,
Havana Cuba, Helsinki Finland, Islamabad Pakistan, Jakarta Indonesia, Jerusalem Israel, Juba Sudan, Kabul Afghanistan,
Kampala Uganda, Kathmandu Nepal, Khartoum Sudan, Kiev Ukraine, Kyiv Ukraine, Kigali Rwanda, Kingston Jamaica, Kinshasa
Congo, Kremlin Russia, Libreville Gabon, Lilongwe Malawi, Lima Peru, Lisbon Portugal, Ljubljana Slovenia, Lome Togo,
London Britain, Luanda Angola, Lusaka Zambia, Madrid Spain, Managua Nicaragua, Manama Bahrain, Manila Philippines,
Maputo Mozambique, Maseru Lesotho, Minsk Belarus, Mogadishu Somalia, Monrovia Liberia, Montevideo Uruguay, Moscow
Russia, Muscat Oman, Nairobi Kenya, Nassau Bahamas, Niamey Niger, Nicosia Cyprus, Nouakchott Mauritania, Oslo Norway,
Ottawa Canada, Ouagadougou Burkina, Paris France, Podgorica Montenegro, Prague Czechia, Pretoria Africa, Pyongyang
Korea, Quito Ecuador, Rabat Morocco, Reykjavik Iceland, Riga Latvia, Riyadh Arabia, Rome Italy, Santiago Chile,
Sarajevo Bosnia, Seoul Korea, Skopje Macedonia, Sofia Bulgaria, Stockholm Sweden, Taipei Taiwan, Tallinn Estonia,
Tashkent Uzbekistan, Tbilisi Georgia, Tegucigalpa Honduras, Tehran Iran, Thimphu Bhutan, Tirana Albania, Tokyo Japan,
Tripoli Libya, Tunis Tunisia, Ulaanbaatar Mongolia, Vienna Austria, Vientiane Laos, Vilnius Lithuania, Warsaw Poland,
Washington US, Wellington Zealand, Westminster Britain, Windhoek Namibia, Yaounde Cameroon, Yerevan Armenia, Zagreb
Croatia
"""
# Peoples whose name does not share its country's stem.
_PEOPLES = """
Peruvian Peru, Greek Greece, French France, German Germany, Dutch Netherlands, Danish Denmark, Swedish Sweden, Finnish
Finland, Norwegian Norway, Spanish Spain, Polish Poland, Turkish Turkey, Irish Ireland, Swiss Switzerland, Czech
Czechia, Welsh Wales, Scottish Scotland, English England, Filipino Philippines, Belgian Belgium, Thai Thailand,
Pakistani Pakistan, Afghan Afghanistan, Kazakh Kazakhstan, Uzbek Uzbekistan, Tajik Tajikistan, Kyrgyz Kyrgyzstan,
Turkmen Turkmenistan, Saudi Arabia, Cypriot Cyprus, Maltese Malta, Emirati Emirates, Icelandic Iceland, Hungarian
Hungary, Bulgarian Bulgaria, Argentine Argentina, Brazilian Brazil, Canadian Canada, Mexican Mexico, Egyptian Egypt,
Ukrainian Ukraine, Norwegians Norway, Greeks Greece, Danes Denmark, Swedes Sweden, Turks Turkey, Poles Poland,
European EU, Congolese Congo, Lebanese Lebanon, Italian Italy, Israeli Israel, Iranian Iran
"""


def country_of(stem: str) -> str:
    """Return the stem of the country that a word's stem stands for; the stem itself when it stands for none."""
    return _countries().get(stem, stem)


def is_country(stem: str) -> bool:
    """Say whether a stem is a country's or a seat's."""
    return stem in _countries() or stem in _country_stems()


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    pairs = [pair.split() for pair in f"{_SEATS},{_PEOPLES}".replace("\n", " ").split(",")]
    return {stem_word(name): stem_word(country) for name, country in pairs}


@lru_cache(maxsize=1)
def _country_stems() -> frozenset[str]:
    from qa.places_babel import place_names

    single = (name for name in place_names() if " " not in name)
    known = {stem_word(name.capitalize()) for name in single}
    return frozenset(known | set(_countries().values()) | {"america", "britain", "europ"})
