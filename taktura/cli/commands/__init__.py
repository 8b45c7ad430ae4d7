"""The commands of `taktura`, by what they are for. They import rooms within, since Django must be set up first."""
