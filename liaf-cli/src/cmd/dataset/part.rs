//! The part of the work that this process does.

use std::env;

use liaf::data::dataset::PartOf;

/// Parses `I/N`, or takes it from the variables of a scheduler: `auto`, or `auto/N`.
pub fn parse(text: &str) -> Result<PartOf, String> {
    match text.split_once('/') {
        None if text == "auto" => automatic(None, &|name| env::var(name).ok()),
        Some(("auto", of)) => {
            let of = of.parse().map_err(|_| format!("{of:?} is no number of parts"))?;
            automatic(Some(of), &|name| env::var(name).ok())
        }
        _ => text.parse().map_err(|error: liaf::data::Error| error.to_string()),
    }
}

/// The part that a scheduler states, with the number of parts if it is given.
fn automatic(
    of: Option<usize>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<PartOf, String> {
    let number = |name: &str| -> Result<Option<usize>, String> {
        let Some(text) = variable(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| format!("{name} is {text:?}, and no number"))
    };
    let part = |index: usize, of: usize, name: &str| {
        PartOf::new(index + 1, of)
            .map_err(|_| format!("{name} is number {index} from 0, and there are only {of} parts"))
    };
    if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let count = number("SLURM_ARRAY_TASK_COUNT")?;
        let of = of.or(count).ok_or("state the number of parts, as in auto/8")?;
        if count.is_some_and(|count| count != of) {
            let count = count.unwrap_or(0);
            return Err(format!("the array has {count} tasks, and there are {of} parts"));
        }
        let index = id.checked_sub(first).ok_or("SLURM_ARRAY_TASK_ID is below its minimum")?;
        return part(index / step, of, "SLURM_ARRAY_TASK_ID");
    }
    for name in ["JOB_COMPLETION_INDEX", "HQ_TASK_ID"] {
        if let Some(index) = number(name)? {
            let of = of.ok_or_else(|| format!("{name} does not say of how many: auto/N"))?;
            return part(index, of, name);
        }
    }
    Err("none of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX and HQ_TASK_ID is set".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables, the number of parts that was given, and the part, or what the error says.
    type Case =
        (Vec<(&'static str, &'static str)>, Option<usize>, Result<&'static str, &'static str>);

    #[test]
    fn schedulers_state_their_part() {
        let slurm = |id| vec![("SLURM_ARRAY_TASK_ID", id), ("SLURM_ARRAY_TASK_COUNT", "3")];
        let stepped = [("SLURM_ARRAY_TASK_MIN", "10"), ("SLURM_ARRAY_TASK_STEP", "5")];
        let cases: Vec<Case> = vec![
            (slurm("0"), None, Ok("1/3")),
            (slurm("2"), Some(3), Ok("3/3")),
            (slurm("3"), None, Err("only 3 parts")),
            (slurm("1"), Some(4), Err("the array has 3 tasks")),
            ([slurm("20"), stepped.to_vec()].concat(), None, Ok("3/3")),
            ([slurm("5"), stepped.to_vec()].concat(), None, Err("below its minimum")),
            (vec![("SLURM_ARRAY_TASK_ID", "x")], None, Err("no number")),
            (vec![("JOB_COMPLETION_INDEX", "0")], Some(2), Ok("1/2")),
            (vec![("JOB_COMPLETION_INDEX", "0")], None, Err("auto/N")),
            (vec![("HQ_TASK_ID", "7")], Some(8), Ok("8/8")),
            (vec![("HQ_TASK_ID", "8")], Some(8), Err("only 8 parts")),
            (vec![], Some(8), Err("none of SLURM_ARRAY_TASK_ID")),
        ];
        for (variables, of, expected) in cases {
            let get = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
            };
            match (automatic(of, &get), expected) {
                (Ok(part), Ok(expected)) => assert_eq!(part.to_string(), expected),
                (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
                (found, expected) => panic!("{variables:?}: {found:?}, not {expected:?}"),
            }
        }
    }
}
