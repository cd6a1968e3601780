//! The two dialects say the same.

use crate::support::on_each;
use saga_core::db::{Db, Sql};
use std::collections::BTreeMap;
use testing::Fresh;

/// A column as both databases tell it: table, name, type, whether it may be NULL, place in the key.
type Column = (String, String, String, bool, i64);

const COLUMNS: Sql = Sql {
    postgres: "SELECT c.table_name::text, c.column_name::text, c.data_type::text, c.is_nullable = 'YES', COALESCE(k.ordinal_position, 0)::bigint
         FROM information_schema.columns c
         LEFT JOIN information_schema.table_constraints t
                ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.constraint_type = 'PRIMARY KEY'
         LEFT JOIN information_schema.key_column_usage k
                ON k.constraint_schema = t.constraint_schema AND k.constraint_name = t.constraint_name AND k.column_name = c.column_name
        WHERE c.table_schema = 'chorus' ORDER BY c.table_name, c.ordinal_position",
    sqlite: "SELECT t.name, c.name, c.type, c.\"notnull\" = 0, c.pk
         FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid",
};
const INDEXES: Sql = Sql {
    postgres: "SELECT x.indexname::text, x.tablename::text, i.indisunique, i.indpred IS NOT NULL
         FROM pg_indexes x JOIN pg_class c ON c.relname = x.indexname AND c.relnamespace = 'chorus'::regnamespace
         JOIN pg_index i ON i.indexrelid = c.oid
        WHERE x.schemaname = 'chorus' AND NOT i.indisprimary AND x.indexname NOT LIKE '%\\_key' ORDER BY 1",
    sqlite: "SELECT i.name, t.name, i.\"unique\" = 1, i.partial = 1
         FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table' AND i.origin = 'c' ORDER BY 1",
};
const FOREIGN_KEYS: Sql = Sql {
    postgres: "SELECT r.conrelid::regclass::text, a.attname::text, r.confrelid::regclass::text,
               CASE r.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END
         FROM pg_constraint r JOIN pg_attribute a ON a.attrelid = r.conrelid AND a.attnum = r.conkey[1]
        WHERE r.contype = 'f' AND r.connamespace = 'chorus'::regnamespace ORDER BY 1, 2",
    sqlite: "SELECT t.name, f.\"from\", f.\"table\", f.on_delete
         FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table' ORDER BY 1, 2",
};

struct Shape {
    columns: Vec<Column>,
    indexes: Vec<(String, String, bool, bool)>,
    foreign_keys: Vec<(String, String, String, String)>,
    checks: BTreeMap<String, usize>,
}

impl Shape {
    async fn of(db: &Db) -> Self {
        let ours = |table: &String| table != "_sqlx_migrations" && !table.starts_with("sqlite_");
        let mut columns: Vec<Column> = db.query(COLUMNS).all().await.unwrap();
        columns.retain(|column| ours(&column.0));
        for column in &mut columns {
            column.2 = plain(&column.2).to_owned();
        }
        let mut foreign_keys: Vec<(String, String, String, String)> =
            db.query(FOREIGN_KEYS).all().await.unwrap();
        for key in &mut foreign_keys {
            for table in [&mut key.0, &mut key.2] {
                *table = table.trim_start_matches("chorus.").to_owned();
            }
        }
        foreign_keys.sort();
        Self {
            columns,
            foreign_keys,
            indexes: db.query(INDEXES).all().await.unwrap(),
            checks: checks(db).await,
        }
    }
}

/// What SQLite calls a type of PostgreSQL.
fn plain(kind: &str) -> &str {
    match kind.to_lowercase().as_str() {
        "uuid" | "bytea" | "blob" => "BLOB",
        "text" | "timestamp with time zone" => "TEXT",
        "bigint" | "boolean" | "integer" => "INTEGER",
        "double precision" | "real" => "REAL",
        other => panic!("no dialect stores {other}"),
    }
}

/// How many checks each table has.
async fn checks(db: &Db) -> BTreeMap<String, usize> {
    let rows: Vec<(String, String)> = db
        .query(Sql {
            postgres: "SELECT conrelid::regclass::text, conname::text FROM pg_constraint
                        WHERE contype = 'c' AND connamespace = 'chorus'::regnamespace",
            sqlite: "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql IS NOT NULL",
        })
        .all()
        .await
        .unwrap();
    let mut checks = BTreeMap::new();
    for (table, text) in rows {
        let found = if matches!(db, Db::Postgres(_)) {
            1
        } else {
            text.matches("CHECK (").count()
        };
        *checks
            .entry(table.trim_start_matches("chorus.").to_owned())
            .or_default() += found;
    }
    checks.retain(|_, found| *found > 0);
    checks
}

#[tokio::test]
async fn both_dialects_have_the_same_tables() {
    let Some(server) = testing::postgres("the comparison with PostgreSQL") else {
        return;
    };
    let sqlite = Fresh::on(None, "schema", 1).await;
    let postgres = Fresh::on(Some(server), "schema", 2).await;

    let (lite, pg) = (Shape::of(&sqlite.db).await, Shape::of(&postgres.db).await);

    assert!(lite.columns.len() > 100, "the tables are read");
    assert_eq!(lite.columns, pg.columns);
    assert_eq!(lite.indexes, pg.indexes);
    assert_eq!(lite.foreign_keys, pg.foreign_keys);
    assert_eq!(lite.checks, pg.checks);
    sqlite.end().await;
    postgres.end().await;
}

#[tokio::test]
async fn a_boolean_is_one_of_two_things_in_both() {
    on_each(async |world| {
        let account = world.account("robin@example.org").await;
        let read: (bool, bool) = world
            .db
            .query("SELECT TRUE, id IS NULL FROM accounts WHERE id = $1")
            .bind(account.id)
            .one()
            .await
            .unwrap();
        assert_eq!(read, (true, false));
    })
    .await;
}
