//! Loads a manifest into an in-memory SQLite database and asks it what lies at each berth.

use std::fmt::Write as _;

use rusqlite::{Connection, params};

const SUMMARY: &str = "
    SELECT berth, count(*), sum(weight_kg), group_concat(DISTINCT vessel ORDER BY vessel)
    FROM consignment GROUP BY berth ORDER BY berth";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    print!("{}", report(&harbor::sample(1_000))?);
    Ok(())
}

fn report(consignments: &[harbor::Consignment]) -> Result<String, Box<dyn std::error::Error>> {
    let mut db = Connection::open_in_memory()?;
    load(&mut db, consignments)?;

    let mut report = format!("sqlite {}\n", rusqlite::version());
    let mut summary = db.prepare(SUMMARY)?;
    let mut rows = summary.query([])?;
    while let Some(row) = rows.next()? {
        let (berth, count, weight): (String, u32, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let vessels: String = row.get(3)?;
        writeln!(report, "berth {berth}: {count} containers, {weight} kg, from {vessels}")?;
    }
    let mean: f64 = db.query_row("SELECT avg(weight_kg) FROM consignment", [], |row| row.get(0))?;
    writeln!(report, "mean weight: {mean:.3} kg")?;
    Ok(report)
}

fn load(db: &mut Connection, consignments: &[harbor::Consignment]) -> rusqlite::Result<()> {
    let load = db.transaction()?;
    load.execute_batch(
        "CREATE TABLE consignment (
             container INTEGER PRIMARY KEY, vessel TEXT, weight_kg INTEGER, berth TEXT
         ) STRICT;",
    )?;
    {
        let mut insert = load.prepare("INSERT INTO consignment VALUES (?1, ?2, ?3, ?4)")?;
        for harbor::Consignment { vessel, container, weight_kg, berth } in consignments {
            insert.execute(params![container, vessel, weight_kg, berth.to_string()])?;
        }
    }
    load.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_the_expected_one() {
        let expected = std::fs::read_to_string("../../expected/harbor-db.txt").expect("a file");
        assert_eq!(report(&harbor::sample(1_000)).expect("a report"), expected);
    }

    #[test]
    fn a_container_arrives_once() {
        let mut db = Connection::open_in_memory().expect("a database");
        let twice = [harbor::sample(1), harbor::sample(1)].concat();
        let error = load(&mut db, &twice).expect_err("the primary key");
        assert!(error.to_string().contains("UNIQUE constraint"), "{error}");
    }
}
