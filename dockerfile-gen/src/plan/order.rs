//! The cheapest order of the steps of a stage.
//!
//! Input: the [`Layer`]s of a stage. Output: a permutation. The one idea: a step reruns if anything before it
//! changed, so what it is expected to cost depends only on the *set* before it, and dynamic programming over the
//! sets that `needs` allows finds the optimum.
//!
//! With independent changes the expected cost of step `i` after the set `S` is
//! `cost(i) * (1 - (1 - p(i)) * product over j in S of (1 - p(j)))`.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::plan::layers::Layer;
use crate::plan::{Plan, Step};

/// Above this many steps the sets are too many and the steps are sorted by `cost * (1 - p) / p` instead.
const EXACT: usize = 16;

/// Orders the steps of a stage: a permutation of `0..layers.len()` that respects `needs`, costs least in
/// expectation and, among equals, keeps the given order as far as it can.
///
/// A cycle in `needs` leaves the order as it is.
pub fn order(layers: &[Layer]) -> Vec<usize> {
    let given: Vec<usize> = (0..layers.len()).collect();
    let ordered = if layers.len() <= EXACT { exact(layers) } else { greedy(layers) };
    match ordered {
        Some(ordered) if !respects(layers, &given) || cost(layers, &ordered) < cost(layers, &given) - 1e-9 => ordered,
        _ => given,
    }
}

/// The expected seconds of one rebuild, over all commits, of steps in this order.
pub fn cost(layers: &[Layer], order: &[usize]) -> f64 {
    let mut unchanged = 1.0;
    let mut total = 0.0;
    for layer in order.iter().filter_map(|&index| layers.get(index)) {
        unchanged *= 1.0 - layer.change;
        total += layer.cost * (1.0 - unchanged);
    }
    total
}

fn respects(layers: &[Layer], order: &[usize]) -> bool {
    let mut done = vec![false; layers.len()];
    order.iter().all(|&index| {
        done[index] = true;
        layers[index].needs.iter().all(|&need| need != index && done.get(need).copied().unwrap_or(true))
    })
}

fn ready(layers: &[Layer], done: u32, index: usize) -> bool {
    done & (1 << index) == 0 && layers[index].needs.iter().all(|&need| need >= layers.len() || done & (1 << need) != 0)
}

fn exact(layers: &[Layer]) -> Option<Vec<usize>> {
    // Per closed set: the least expected cost, the order that has it, and the probability that nothing in it changed.
    let mut sets: BTreeMap<u32, (f64, Vec<usize>, f64)> = BTreeMap::from([(0, (0.0, Vec::new(), 1.0))]);
    for _ in 0..layers.len() {
        let mut next: BTreeMap<u32, (f64, Vec<usize>, f64)> = BTreeMap::new();
        for (set, (spent, order, unchanged)) in &sets {
            for (index, layer) in layers.iter().enumerate().filter(|(index, _)| ready(layers, *set, *index)) {
                let unchanged = unchanged * (1.0 - layer.change);
                let spent = spent + layer.cost * (1.0 - unchanged);
                let mut order = order.clone();
                order.push(index);
                let slot = next.entry(set | 1 << index).or_insert((f64::INFINITY, Vec::new(), 1.0));
                if spent < slot.0 - 1e-9 || (spent < slot.0 + 1e-9 && order < slot.1) {
                    *slot = (spent, order, unchanged);
                }
            }
        }
        sets = next;
    }
    sets.into_values().next().map(|(_, order, _)| order)
}

fn greedy(layers: &[Layer]) -> Option<Vec<usize>> {
    let rank = |layer: &Layer| {
        if layer.change <= 0.0 { f64::INFINITY } else { layer.cost * (1.0 - layer.change) / layer.change }
    };
    let mut done = vec![false; layers.len()];
    let mut order = Vec::with_capacity(layers.len());
    while order.len() < layers.len() {
        let free = |index: &usize| {
            !done[*index] && layers[*index].needs.iter().all(|&need| done.get(need).copied().unwrap_or(true))
        };
        let best = (0..layers.len())
            .filter(free)
            .reduce(|best, index| if rank(&layers[index]) > rank(&layers[best]) { index } else { best })?;
        done[best] = true;
        order.push(best);
    }
    Some(order)
}

impl Plan {
    /// Puts the steps of every stage into their cheapest order; what one step needs stays before it.
    pub fn reorder(&mut self, config: &Config) {
        let layers = self.layers(config);
        for (stage, layers) in self.stages.iter_mut().zip(layers) {
            let order = order(&layers.layers);
            let mut steps: Vec<Option<Step>> = stage.steps.drain(..).map(Some).collect();
            stage.steps.extend(order.into_iter().filter_map(|index| steps.get_mut(index).and_then(Option::take)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layer(cost: f64, change: f64, needs: &[usize]) -> Layer {
        Layer { id: String::new(), inputs: Vec::new(), cost, change, needs: needs.to_vec() }
    }

    #[test]
    fn dependencies_come_before_sources() {
        // copy sources, build (needs both), copy manifests, install (needs manifests)
        let layers = [layer(0.1, 0.9, &[]), layer(20.0, 0.0, &[0, 3]), layer(0.1, 0.2, &[]), layer(60.0, 0.0, &[2])];
        assert_eq!(order(&layers), [2, 3, 0, 1]);
    }

    #[test]
    fn what_makes_no_difference_stays_where_it_is() {
        let layers = vec![layer(0.0, 0.0, &[]); 20];
        assert_eq!(order(&layers), (0..20).collect::<Vec<_>>());
        assert_eq!(order(&layers[..7]), (0..7).collect::<Vec<_>>());
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![vec![]];
        }
        let shorter = permutations(n - 1);
        shorter
            .iter()
            .flat_map(|p| {
                (0..n).map(move |at| {
                    let mut longer = p.clone();
                    longer.insert(at, n - 1);
                    longer
                })
            })
            .collect()
    }

    fn stages(most: usize) -> impl Strategy<Value = Vec<Layer>> {
        prop::collection::vec(
            (0.0..50.0f64, 0.0..1.0f64, prop::collection::vec(any::<prop::sample::Index>(), 0..3)),
            1..most,
        )
        .prop_map(|rows| {
            let layers = rows.iter().enumerate().map(|(index, (cost, change, needs))| {
                let needs = if index == 0 { vec![] } else { needs.iter().map(|need| need.index(index)).collect() };
                Layer { id: String::new(), inputs: Vec::new(), cost: *cost, change: *change, needs }
            });
            layers.collect()
        })
    }

    proptest! {
        #[test]
        fn no_permutation_is_cheaper(layers in stages(7)) {
            let mine = order(&layers);
            let best = permutations(layers.len())
                .into_iter()
                .filter(|p| respects(&layers, p))
                .map(|p| cost(&layers, &p))
                .fold(f64::INFINITY, f64::min);
            prop_assert!(respects(&layers, &mine));
            prop_assert!(cost(&layers, &mine) <= best + 1e-6);
        }

        #[test]
        fn it_is_never_worse_than_the_input(layers in stages(24)) {
            let given: Vec<usize> = (0..layers.len()).collect();
            let mine = order(&layers);
            prop_assert!(respects(&layers, &mine));
            prop_assert!(cost(&layers, &mine) <= cost(&layers, &given) + 1e-6);
            let mut sorted = mine;
            sorted.sort_unstable();
            prop_assert_eq!(sorted, given);
        }
    }
}
