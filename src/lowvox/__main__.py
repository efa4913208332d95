"""`python -m lowvox`: the command line, where its script is not on the path."""

from lowvox.commands import main

if __name__ == "__main__":
    main()
