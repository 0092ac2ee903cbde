//! A first-in first-out queue.

/// A queue of two stacks. `VecDeque` does the same with several times the code, which the browser would load.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    incoming: Vec<T>,
    /// What is handed out next, the first one last.
    outgoing: Vec<T>,
}

impl<T> Queue<T> {
    pub(crate) const fn new() -> Self {
        Self { incoming: Vec::new(), outgoing: Vec::new() }
    }

    pub(crate) fn push(&mut self, item: T) {
        self.incoming.push(item);
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.outgoing.is_empty() {
            std::mem::swap(&mut self.incoming, &mut self.outgoing);
            self.outgoing.reverse();
        }
        self.outgoing.pop()
    }

    pub(crate) fn clear(&mut self) {
        self.incoming.clear();
        self.outgoing.clear();
    }

    /// Takes everything out, in order.
    pub(crate) fn take(&mut self) -> Vec<T> {
        let mut all = Vec::new();
        while let Some(item) = self.pop() {
            all.push(item);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_out_in_the_order_they_went_in() {
        let mut queue = Queue::new();
        for n in 0..4 {
            queue.push(n);
        }
        assert_eq!([queue.pop(), queue.pop()], [Some(0), Some(1)]);
        queue.push(4);
        assert_eq!(queue.pop(), Some(2));
        assert_eq!(queue.take(), [3, 4]);
        assert_eq!(queue.pop(), None);
        queue.push(5);
        queue.clear();
        assert_eq!(queue.pop(), None);
    }
}
