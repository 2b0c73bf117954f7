-- A user's share of the slots at the provider, against a user without one: docs/pacing.md.
ALTER TABLE user_limits ADD COLUMN weight integer CHECK (weight >= 1); -- null: 1
