"""From a user's file to a spec for review: types, roles, label and dialect, each choice said and each doubt asked."""
