BEGIN TRANSACTION;
CREATE TABLE bindings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "bindings" VALUES('contract','1.13');
CREATE TABLE entries (
    address TEXT NOT NULL, generation INTEGER NOT NULL, deposed INTEGER NOT NULL,
    serial INTEGER NOT NULL, needs TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (address, generation)
);
INSERT INTO "entries" VALUES('toy.vault/cluster',1,0,2,'','{"applied":{"size":2},"id":"v-1","key":"01keyofvault","outputs":{"id":"v-1","password":{"$secret":"HQ2vvC3iIeZhTMFy+sGDmQmcmQVVKslwxNskBZ/0UL0uaLojeg=="}},"protect":true,"provider":"toy","status":"ready"}');
INSERT INTO "entries" VALUES('toy.thing/a',1,1,2,'','{"applied":{"size":1},"id":"t-1","key":"01keyofa1","outputs":{"id":"t-1"},"provider":"toy","silent":"2026-11-23T11:00:00+00:00","status":"ready"}');
INSERT INTO "entries" VALUES('toy.thing/a',2,0,2,'toy.vault/cluster','{"applied":{"note":"grüße ✓","size":3,"token":{"$secret":"6OZlP16oWkx+E5CEOmECOVmE9yqCgV5o6K5joIxb5Ug4"}},"id":"t-2","intended":{"$$odd":{"$$secret":"no"},"parts":[{"a":[1,null,true,1.5]}],"size":4,"token":{"$secret":"YZx7LuzYQm4qMR/B0lQBq3ackuWz7VXx0cjg/5nzjNyY"}},"key":"01keyofa2","memo":{"task":"7"},"outputs":{"id":"t-2"},"owed":["drain","uncordon"],"phase":"booting","provider":"toy","status":"updating"}');
INSERT INTO "entries" VALUES('toy.thing/c',2,0,2,'toy.thing/a toy.vault/cluster','{"error":"no room","how":"leave","key":"01keyofc","provider":"toy","status":"failed"}');
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('cluster','demo');
INSERT INTO "meta" VALUES('data_key','YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBTZ3UrRUJWUHl2ajJkVHZLMmpiOGp3Q3hxZUR2bG91dStjY01yTVRraHdnCjdxbXZEV3dYeXVzRlM1dkI5UTRia1BCOHZGRDZDVVd4a2hPQVhQZ0RiSG8KLT4gZywwJ2dBLC1ncmVhc2UgOCA8Oiw2V0lLLSAidwpSZHNnT09yd0tjR25CLzdIQU9vTTUyTEVrYkZPZWlWL0JGclE5cnZSOGV2MytTdUJtaDk2eEhnZmhsOAotLS0gRTkrVHF5dXYvTDQ1MkRCTVNzYVkveSswNDJ3ZzNWamhkaXBIcHFEdEpGSQqrK2yvWAWO8uKOfkcLrNF0UOYlUC6kpOzWYP754jD+BydosbECceMIde8neJuOeItTR4zo2Elo/k3SVaDC0GRd');
INSERT INTO "meta" VALUES('lineage','01m86yt50fkmqe7wb4y7ak2jgf');
INSERT INTO "meta" VALUES('outputs','{"api":"https://x","password":{"$secret":"ccFCD8Hocsn4Ci0moKSUhtgFswLL1rafIrLC67Tdk8NoA2kTQA=="}}');
INSERT INTO "meta" VALUES('recipients','age1698l3emfwmumpm3cl6ch2yezzkduz2ly7dua4q479lg254080qls4xzrrw');
INSERT INTO "meta" VALUES('serial','2');
CREATE TABLE owner (token INTEGER NOT NULL, who TEXT, host TEXT, pid INTEGER, since TEXT, doing TEXT);
INSERT INTO "owner" VALUES(1,NULL,'desk',4711,'2026-11-23T12:00:00+00:00','apply');
CREATE TABLE runs (
    id TEXT PRIMARY KEY, doing TEXT NOT NULL, who TEXT NOT NULL, host TEXT NOT NULL,
    since TEXT NOT NULL, until TEXT NOT NULL, outcome TEXT NOT NULL, summary TEXT NOT NULL
);
INSERT INTO "runs" VALUES('r1','apply','ada','desk','2026-11-23T12:00:00+00:00','2026-11-23T12:05:00+00:00','partly','3 done, 1 failed');
CREATE UNIQUE INDEX current ON entries (address) WHERE NOT deposed;
COMMIT;
PRAGMA application_id = 1886547830;
PRAGMA user_version = 2;
