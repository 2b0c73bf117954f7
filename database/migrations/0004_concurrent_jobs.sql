-- How many jobs of a user may run at once; in both limits null is the default of the deployment.
ALTER TABLE user_limits ADD COLUMN concurrent_jobs integer CHECK (concurrent_jobs >= 0);
ALTER TABLE user_limits ALTER COLUMN jobs_per_hour DROP NOT NULL;
