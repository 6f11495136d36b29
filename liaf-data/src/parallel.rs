//! Work on many threads, results in order on one.

use crate::Result;

/// Places for results, in two halves: one is worked on while the other is given out.
pub(crate) type Halves<S> = [Vec<S>; 2];

/// Two halves of `n` places each.
pub(crate) fn halves<S: Default>(n: usize) -> Halves<S> {
    let half = || std::iter::repeat_with(S::default).take(n).collect();
    [half(), half()]
}

/// Runs `work` on every item, on the threads of the current rayon pool, and `give` on each result,
/// in order, on this thread; meanwhile the next items are worked on. So no more results exist at
/// one time than there are places.
///
/// # Errors
/// The first that `give` returns; items behind it may have been worked on, and are not given out.
pub(crate) fn in_order<I: Sync, S: Send>(
    items: &[I],
    places: &mut Halves<S>,
    work: impl Fn(usize, &I, &mut S) + Sync,
    mut give: impl FnMut(usize, &I, &mut S) -> Result<()>,
) -> Result<()> {
    let [mut now, mut before] = places.each_mut();
    let size = now.len().max(1);
    let mut done = Ok(());
    let mut give_all = |group: usize, places: &mut [S]| {
        let first = group * size;
        let items = items.iter().enumerate().skip(first).take(size);
        items.zip(places).try_for_each(|((i, item), place)| give(i, item, place))
    };
    let groups = items.len().div_ceil(size);
    for (group, part) in items.chunks(size).enumerate() {
        let work = &work;
        rayon::in_place_scope(|scope| {
            for (i, (item, place)) in part.iter().zip(now.iter_mut()).enumerate() {
                scope.spawn(move |_| work(group * size + i, item, place));
            }
            if group > 0 {
                done = give_all(group - 1, before);
            }
        });
        done?;
        done = Ok(());
        std::mem::swap(&mut now, &mut before);
    }
    if groups > 0 { give_all(groups - 1, before) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn results_come_in_order_on_any_number_of_threads() {
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for n in [0, 1, 4, 5, 99] {
                let items: Vec<usize> = (0..n).collect();
                let mut seen = Vec::new();
                let work = |i: usize, item: &usize, place: &mut usize| *place = i * item;
                let give = |i: usize, _: &usize, place: &mut usize| {
                    seen.push((i, *place));
                    Ok(())
                };
                pool.in_place_scope(|_| in_order(&items, &mut halves(4), work, give)).unwrap();
                assert_eq!(seen, items.iter().map(|i| (*i, i * i)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_first_error_ends_it() {
        let items: Vec<usize> = (0..50).collect();
        let mut given = 0;
        let result = in_order(
            &items,
            &mut halves::<()>(3),
            |_, _, ()| {},
            |i, _, ()| {
                given += 1;
                if i == 7 { Err(Error::caller("enough")) } else { Ok(()) }
            },
        );
        assert_eq!((result.is_err(), given), (true, 8));
    }
}
