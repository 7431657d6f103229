//! Distribution of work to threads.
//!
//! libtorch would split every operation of a piece of work (a tile of pairs, a block of parameters) among its threads, and they would meet again after each: a few
//! microseconds of work, then all wait for the slowest, which on a machine with other work is a long time. So on a CPU
//! each thread takes its own pieces from beginning to end, and they meet once.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::{Arc, Mutex, Once, PoisonError};
use tch::{Device, Kind, Tensor};

/// Divides `items` between as many threads as libtorch has and returns the result of `work` for each share, in an order
/// that depends only on that number. On a GPU, or with too few items, this thread does all of it, with libtorch's own
/// threads. `work` runs without gradient.
pub fn deal<I: Send, R: Send>(items: Vec<I>, device: Device, work: impl Fn(Vec<I>) -> R + Sync) -> Vec<R> {
    deal_with(items, device, || (), |(), hand| work(hand))
}

/// Like [`deal`], with an initial value per share that `start` creates in this thread: freed memory returns to the
/// thread that allocated it.
pub fn deal_with<I: Send, S: Send, R: Send>(
    items: Vec<I>,
    device: Device,
    start: impl Fn() -> S,
    work: impl Fn(S, Vec<I>) -> R + Sync,
) -> Vec<R> {
    first_operations();
    let Some(pool) = pool_for(items.len(), device) else {
        return vec![tch::no_grad(|| work(start(), items))];
    };
    let threads = pool.current_num_threads();
    let mut hands: Vec<(S, Vec<I>)> = (0..threads).map(|_| (start(), Vec::new())).collect();
    for (index, item) in items.into_iter().enumerate() {
        hands[index % threads].1.push(item);
    }
    let hands: Vec<_> = hands.into_iter().map(|hand| Mutex::new(Some(hand))).collect();
    let results = pool.broadcast(|thread| {
        let hand = hands[thread.index()]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        hand.map(|(start, items)| tch::no_grad(|| work(start, items)))
    });
    results.into_iter().flatten().collect()
}

/// Takes libtorch's vector operations once, on one thread. Where two threads take the first ones of a process at the same time,
/// one of them was seen to round an exponential or a logarithm otherwise (by 1e-5, on a processor with AMX), so that the same
/// input did not give the same bits.
fn first_operations() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for kind in [Kind::Float, Kind::Double] {
            let x = Tensor::full([64, 64], 0.5, (kind, Device::Cpu));
            let exponentials = [x.exp2(), x.exp(), x.log(), x.sigmoid(), x.matmul(&x)];
            exponentials
                .iter()
                .for_each(|y| drop(y.logsumexp([0].as_slice(), false)));
        }
    });
}

/// Maps `work` over `items`, in their order. Unlike in [`deal`], a thread takes the next item whenever it has finished
/// one: for items of different sizes, best with the small ones last, whose results are not summed.
pub fn deal_each<I: Send, R: Send>(items: Vec<I>, device: Device, work: impl Fn(I) -> R + Sync) -> Vec<R> {
    let work = |item| tch::no_grad(|| work(item));
    let Some(pool) = pool_for(items.len(), device) else {
        return items.into_iter().map(work).collect();
    };
    let items = Mutex::new(items.into_iter().enumerate());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let done = pool.broadcast(|_| {
        let mut done = Vec::new();
        while let Some((index, item)) = next() {
            done.push((index, work(item)));
        }
        done
    });
    let mut done: Vec<(usize, R)> = done.into_iter().flatten().collect();
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Number of threads: libtorch's, if the work is enough for several.
fn pool_for(items: usize, device: Device) -> Option<Arc<ThreadPool>> {
    let threads = tch::get_num_threads().max(1) as usize;
    if device != Device::Cpu || threads == 1 || items < 2 * threads {
        return None;
    }
    pool(threads)
}

/// Thread pool, created once per number of threads; `None` if the system refuses.
fn pool(threads: usize) -> Option<Arc<ThreadPool>> {
    static POOL: Mutex<Option<Arc<ThreadPool>>> = Mutex::new(None);
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if pool.as_ref().is_none_or(|pool| pool.current_num_threads() != threads) {
        let name = |index| format!("dealt-{index}");
        let made = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(name)
            .build()
            .ok()?;
        made.broadcast(|_| {
            // An idle thread of libgomp, libtorch's own, keeps its core busy for milliseconds, which the work then lacks,
            // unless it knows of more threads than cores. So each of these once takes a helper, who sleeps from then on.
            // (The question comes first: a thread's first one sets the number anew.)
            let _ = tch::get_num_threads();
            tch::set_num_threads(2);
            let _ = Tensor::zeros([1 << 17], (Kind::Float, Device::Cpu)).exp2_();
            // In each of them libtorch works alone.
            tch::set_num_threads(1);
        });
        // It has taken that for new threads of others, too.
        tch::set_num_threads(threads as i32);
        *pool = Some(Arc::new(made));
    }
    pool.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_dealt_once_and_in_an_order_that_repeats() {
        let hands = |count| deal((0..count).collect(), Device::Cpu, |hand: Vec<usize>| hand);
        let threads = tch::get_num_threads();
        assert_eq!(hands(101), hands(101));
        let mut all = hands(101).concat();
        all.sort_unstable();
        assert_eq!(all, (0..101).collect::<Vec<_>>());
        assert_eq!(tch::get_num_threads(), threads, "libtorch's own threads stay");
    }

    #[test]
    fn results_of_each_come_in_the_order_of_the_items() {
        let doubled = deal_each((0..101).collect(), Device::Cpu, |item: usize| {
            (2 * item, tch::get_num_threads())
        });
        assert!(
            doubled
                .iter()
                .enumerate()
                .all(|(index, (twice, _))| *twice == 2 * index)
        );
        if tch::get_num_threads() > 1 {
            assert!(doubled.iter().all(|(_, threads)| *threads == 1));
        }
    }

    #[test]
    fn items_are_taken_in_their_order() {
        let taken = Mutex::new(Vec::new());
        deal_each((0..101).collect(), Device::Cpu, |item: usize| {
            taken.lock().expect("no test panics with it").push(item);
        });
        let taken = taken.into_inner().expect("no test panics with it");
        // Each thread may have one that it has not noted yet.
        let ahead = tch::get_num_threads() as usize - 1;
        assert!(
            taken.iter().enumerate().all(|(place, item)| *item <= place + ahead),
            "{taken:?}"
        );
    }

    #[test]
    fn libtorch_works_alone_in_each_thread() {
        if tch::get_num_threads() > 1 {
            let alone = deal(vec![(); 64], Device::Cpu, |_| tch::get_num_threads());
            assert!(
                alone.len() > 1 && alone.iter().all(|&threads| threads == 1),
                "{alone:?}"
            );
        }
    }
}
