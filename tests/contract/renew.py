"""Write every golden case's facts and response anew: `python -m tests.contract.renew`, then read the difference."""

from tests.contract.cases import folders, response_file, run


def main() -> None:
    for folder in folders():
        outcome = run(folder)
        (folder / "facts.json").write_text(outcome.facts, encoding="utf-8")
        response_file(folder).write_text(outcome.response, encoding="utf-8")


if __name__ == "__main__":
    main()
