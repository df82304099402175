-- The inbox's queue, PostgreSQL dialect.  Nothing changes: claims run side by side here and find the heads of lanes by inbox_lane,
-- which costs a tenth of an insert.
SELECT 1;
