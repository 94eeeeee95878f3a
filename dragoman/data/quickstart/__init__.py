"""The quickstart: small multilingual data with every task, generated from CLDR and num2words; used by tests too."""
