# cython: language_level=3
"""An order-statistic tree over (score, member): a counted B+-tree. `ranked_tree.pxd` says what it looks like.

A full node is split on the way down, so a change never travels up again and each step leaves a whole tree even when
memory runs out. A split at the right edge leaves the left node full: appending in order fills the nodes, and only the
nodes of the right edge may hold fewer than LOW elements.
"""
import cython
from cython.cimports.carnelian.base.memory import allocate, block_size, release, resize
from cython.cimports.carnelian.types.table import Entry, entry_key
from cython.cimports.libc.string import memcmp, memcpy, memmove

LOW = cython.declare(cython.int, 8)             # fewer elements than that, and a node is joined with a neighbour
FILL = cython.declare(cython.int, 24)           # as many as two nodes may have together to be joined into one


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def element(node: cython.pointer(Node), index: cython.Py_ssize_t) -> cython.pointer(Ranked):
    """The item, or the branch, of which an item's fields are the first."""
    return cython.cast(cython.pointer(Ranked),
                       cython.cast(cython.p_char, node) + 8 + (index << (5 if node.level else 4)))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def branch(node: cython.pointer(Node), index: cython.Py_ssize_t) -> cython.pointer(Branch):
    return cython.cast(cython.pointer(Branch), cython.cast(cython.p_char, node) + 8 + (index << 5))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def node_size(level: cython.uint, count: cython.Py_ssize_t) -> cython.size_t:
    return 8 + (cython.cast(cython.size_t, count | 3) << (5 if level else 4))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def bytes_of(node: cython.pointer(Node), count: cython.Py_ssize_t) -> cython.size_t:
    """What so many elements take."""
    return cython.cast(cython.size_t, count) << (5 if node.level else 4)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def precedes(item: cython.pointer(Ranked), bound: cython.pointer(Bound)) -> cython.bint:
    """Whether the item is left of the bound."""
    order: cython.int
    n: cython.size_t
    if bound.by & BY_SCORE:
        if item.score != bound.score:
            return item.score < bound.score
        if bound.by == BY_SCORE:
            return bound.after
    n = item.entry.key_length
    order = memcmp(entry_key(item.entry), bound.member, n if n < bound.length else bound.length)
    if order == 0:
        if n == bound.length:
            return bound.after
        return n < bound.length
    return order < 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def cut(node: cython.pointer(Node), bound: cython.pointer(Bound)) -> cython.int:
    """How many elements of the node are left of the bound; the last is tried first, for appending in order."""
    low: cython.int = 0
    high: cython.int = node.count
    middle: cython.int
    if high and precedes(element(node, high - 1), bound):
        return high
    high -= 1
    while low < high:
        middle = (low + high) >> 1
        if precedes(element(node, middle), bound):
            low = middle + 1
        else:
            high = middle
    return low if high >= 0 else 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def exactly(bound: cython.pointer(Bound), score: cython.double, member: cython.p_const_char, n: cython.size_t,
            after: cython.bint) -> cython.void:
    bound.by = BY_BOTH
    bound.after = after
    bound.score = score
    bound.member = member
    bound.length = n


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
@cython.nogil
def weight(node: cython.pointer(Node), start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The items in or below the elements start to stop."""
    i: cython.Py_ssize_t
    total: cython.Py_ssize_t = 0
    if node.level == 0:
        return stop - start
    for i in range(start, stop):
        total += branch(node, i).count
    return total


@cython.cfunc
@cython.exceptval(-1, check=False)
def refit(owner: cython.pointer(cython.pointer(Node)), old: cython.Py_ssize_t, new: cython.Py_ssize_t) -> cython.int:
    """Moves the node into a block for `new` elements, from one for `old`."""
    node: cython.pointer(Node) = owner[0]
    if (old | 3) != (new | 3):
        owner[0] = cython.cast(cython.pointer(Node), resize(
            node, node_size(node.level, old), node_size(node.level, new)))
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def drop_elements(node: cython.pointer(Node), index: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.void:
    memmove(element(node, index), element(node, index + count), bytes_of(node, node.count - index - count))
    node.count -= cython.cast(cython.uint, count)


@cython.cfunc
@cython.exceptval(-1, check=False)
def split(owner: cython.pointer(cython.pointer(Node)), index: cython.int, at: cython.int) -> cython.int:
    """Gives the elements from `at` on of the child at `index` to a new node right of it. owner[0] may move."""
    parent: cython.pointer(Node) = owner[0]
    child: cython.pointer(Node) = branch(parent, index).child
    old: cython.int = child.count
    moved: cython.Py_ssize_t = weight(child, at, old)
    size: cython.size_t = node_size(child.level, old - at)
    right: cython.pointer(Node) = cython.cast(cython.pointer(Node), allocate(size))
    new: cython.pointer(Branch)
    try:
        refit(owner, parent.count, parent.count + 1)
    except MemoryError:
        release(right, size)
        raise
    parent = owner[0]
    right.level = child.level
    right.count = old - at
    memcpy(element(right, 0), element(child, at), bytes_of(child, old - at))
    child.count = at
    memmove(branch(parent, index + 2), branch(parent, index + 1), bytes_of(parent, parent.count - index - 1))
    parent.count += 1
    new = branch(parent, index + 1)
    new.score = element(right, 0).score
    new.entry = element(right, 0).entry
    new.child = right
    new.count = moved
    branch(parent, index).count -= moved
    refit(cython.address(branch(parent, index).child), old, at)
    return 0


def tree_insert(tree, score, entry):
    bound: Bound
    path: Cursor
    owner: cython.pointer(cython.pointer(Node)) = cython.address(tree.root)
    node: cython.pointer(Node) = tree.root
    child: cython.pointer(Node)
    first: cython.pointer(Branch)
    item: cython.pointer(Ranked)
    index: cython.int
    depth: cython.int = 0
    at_end: cython.bint = True
    exactly(cython.address(bound), score, entry_key(entry), entry.key_length, False)
    if node == cython.NULL:
        node = cython.cast(cython.pointer(Node), allocate(node_size(0, 1)))
        node.level = 0
        node.count = 0
        tree.root = node
    elif node.count == WIDTH:
        child = node
        node = cython.cast(cython.pointer(Node), allocate(node_size(child.level + 1, 1)))
        node.level = child.level + 1
        node.count = 1
        first = branch(node, 0)
        first.score = element(child, 0).score
        first.entry = element(child, 0).entry
        first.child = child
        first.count = tree.count
        tree.root = node
    while True:
        index = cut(node, cython.address(bound))
        if node.level == 0:
            break
        if index > 0:
            index -= 1
        child = branch(node, index).child
        at_end = at_end and index == cython.cast(cython.int, node.count) - 1
        if child.count == WIDTH:
            split(owner, index, WIDTH - 1 if at_end and precedes(element(child, WIDTH - 1), cython.address(bound))
                  else WIDTH // 2)
            node = owner[0]
            if precedes(element(node, index + 1), cython.address(bound)):
                index += 1
            else:
                at_end = False
        path.nodes[depth] = node
        path.indexes[depth] = index
        depth += 1
        owner = cython.address(branch(node, index).child)
        node = owner[0]
    if node.count:
        refit(owner, node.count, node.count + 1)
        node = owner[0]
    item = element(node, index)
    memmove(element(node, index + 1), item, bytes_of(node, node.count - index))
    item.score = score
    item.entry = entry
    node.count += 1
    tree.count += 1
    while depth > 0:
        depth -= 1
        first = branch(path.nodes[depth], path.indexes[depth])
        first.count += 1
        if index == 0:
            first.score = score
            first.entry = entry
            index = path.indexes[depth]
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def find(tree: cython.pointer(RankedTree), score: cython.double, member: cython.p_const_char, n: cython.size_t,
         path: cython.pointer(Cursor)) -> cython.pointer(Ranked):
    """The item, with the path to it; NULL if there is none."""
    bound: Bound
    node: cython.pointer(Node) = tree.root
    item: cython.pointer(Ranked)
    index: cython.int
    path.height = 0
    exactly(cython.address(bound), score, member, n, True)
    while node != cython.NULL:
        index = cut(node, cython.address(bound)) - 1
        if index < 0:
            return cython.NULL
        path.nodes[path.height] = node
        path.indexes[path.height] = index
        path.height += 1
        if node.level == 0:
            item = element(node, index)
            if item.score == score and item.entry.key_length == n and memcmp(entry_key(item.entry), member, n) == 0:
                return item
            return cython.NULL
        node = branch(node, index).child
    return cython.NULL


@cython.cfunc
@cython.exceptval(check=False)
def renew_first(path: cython.pointer(Cursor)) -> cython.void:
    """The leaf's first item is another: the branches above that begin with it repeat it."""
    depth: cython.int = path.height - 1
    item: cython.pointer(Ranked) = element(path.nodes[depth], 0)
    above: cython.pointer(Branch)
    while depth > 0:
        depth -= 1
        above = branch(path.nodes[depth], path.indexes[depth])
        above.score = item.score
        above.entry = item.entry
        if path.indexes[depth]:
            break


@cython.cfunc
@cython.exceptval(-1, check=False)
def join(parent: cython.pointer(Node), index: cython.int) -> cython.bint:
    """Puts the children at index and index + 1 into one node (True), or shares their elements out evenly (False).

    The parent's block is left as it is: the caller fits it to the new count.
    """
    left: cython.pointer(Branch) = branch(parent, index)
    right: cython.pointer(Branch) = branch(parent, index + 1)
    a: cython.int = left.child.count
    b: cython.int = right.child.count
    total: cython.int = a + b
    moved: cython.int
    items: cython.Py_ssize_t
    if total <= FILL:
        refit(cython.address(left.child), a, total)
        memcpy(element(left.child, a), element(right.child, 0), bytes_of(right.child, b))
        left.child.count = total
        left.count += right.count
        release(right.child, node_size(right.child.level, b))
        drop_elements(parent, index + 1, 1)
        return True
    moved = total // 2 - a
    if moved > 0:
        items = weight(right.child, 0, moved)
        refit(cython.address(left.child), a, a + moved)
        memcpy(element(left.child, a), element(right.child, 0), bytes_of(right.child, moved))
        left.child.count = a + moved
        drop_elements(right.child, 0, moved)
    else:
        moved = -moved
        items = -weight(left.child, a - moved, a)
        refit(cython.address(right.child), b, b + moved)
        memmove(element(right.child, moved), element(right.child, 0), bytes_of(right.child, b))
        memcpy(element(right.child, 0), element(left.child, a - moved), bytes_of(left.child, moved))
        right.child.count = b + moved
        left.child.count = a - moved
    left.count += items
    right.count -= items
    right.score = element(right.child, 0).score
    right.entry = element(right.child, 0).entry
    if items > 0:
        refit(cython.address(right.child), b, b - moved)
    else:
        refit(cython.address(left.child), a, a - moved)
    return False


@cython.cfunc
@cython.exceptval(-1, check=False)
def mend(tree: cython.pointer(RankedTree), path: cython.pointer(Cursor)) -> cython.int:
    """After the leaf at the end of the path has lost an item: joins what has become too small, from the leaf up."""
    depth: cython.int
    index: cython.int
    before: cython.int
    parent: cython.pointer(Node)
    node: cython.pointer(Node)
    owner: cython.pointer(cython.pointer(Node))
    for depth in range(path.height - 1, 0, -1):
        parent = path.nodes[depth - 1]
        index = path.indexes[depth - 1]
        node = branch(parent, index).child
        before = parent.count
        if node.count >= cython.cast(cython.uint, LOW):
            break
        if before == 1 or not join(parent, index - 1 if index else 0):
            break
        owner = (cython.address(tree.root) if depth == 1
                 else cython.address(branch(path.nodes[depth - 2], path.indexes[depth - 2]).child))
        refit(owner, before, before - 1)
        path.nodes[depth - 1] = owner[0]
    node = tree.root
    while node.level and node.count == 1:
        tree.root = branch(node, 0).child
        release(node, node_size(node.level, 1))
        node = tree.root
    return 0


def tree_remove(tree, score, member, n):
    path: Cursor
    node: cython.pointer(Node)
    depth: cython.int
    index: cython.int
    owner: cython.pointer(cython.pointer(Node))
    if find(tree, score, member, n, cython.address(path)) == cython.NULL:
        return False
    for depth in range(path.height - 1):
        branch(path.nodes[depth], path.indexes[depth]).count -= 1
    tree.count -= 1
    depth = path.height - 1
    node = path.nodes[depth]
    index = path.indexes[depth]
    drop_elements(node, index, 1)
    if node.count == 0:
        # The empty leaf goes at once; what began with it begins with the item after it, or is empty too.
        drop_leaf(tree, cython.address(path))
        return True
    if index == 0:
        renew_first(cython.address(path))
    owner = (cython.address(tree.root) if depth == 0
             else cython.address(branch(path.nodes[depth - 1], path.indexes[depth - 1]).child))
    refit(owner, node.count + 1, node.count)
    path.nodes[depth] = owner[0]
    mend(tree, cython.address(path))
    return True


@cython.cfunc
@cython.exceptval(-1, check=False)
def drop_leaf(tree: cython.pointer(RankedTree), path: cython.pointer(Cursor)) -> cython.int:
    """Takes the empty leaf at the end of the path out of the tree, and the ancestors that this empties."""
    depth: cython.int = path.height - 1
    index: cython.int
    before: cython.int
    node: cython.pointer(Node) = path.nodes[depth]
    owner: cython.pointer(cython.pointer(Node))
    release(node, node_size(0, 1))
    while depth > 0:
        depth -= 1
        node = path.nodes[depth]
        index = path.indexes[depth]
        before = node.count
        drop_elements(node, index, 1)
        if node.count:
            path.height = depth + 1
            if index == 0:
                renew_first(path)
            owner = (cython.address(tree.root) if depth == 0
                     else cython.address(branch(path.nodes[depth - 1], path.indexes[depth - 1]).child))
            refit(owner, before, before - 1)
            path.nodes[depth] = owner[0]
            mend(tree, path)
            return 0
        release(node, node_size(node.level, before))
    tree.root = cython.NULL
    return 0


def tree_rescore(tree, score, member, n, wanted):
    path: Cursor
    bound: Bound
    node: cython.pointer(Node)
    index: cython.int
    last: cython.int
    item: cython.pointer(Ranked) = find(tree, score, member, n, cython.address(path))
    if item == cython.NULL:
        return False
    node = path.nodes[path.height - 1]
    index = path.indexes[path.height - 1]
    last = cython.cast(cython.int, node.count) - 1
    exactly(cython.address(bound), wanted, member, n, False)
    if wanted > score:
        if index == last and tree.root != node:
            return False
        if index < last and precedes(element(node, index + 1), cython.address(bound)):
            return False
    else:
        if index == 0 and tree.root != node:
            return False
        if index > 0 and not precedes(element(node, index - 1), cython.address(bound)):
            return False
    item.score = wanted
    if index == 0:
        renew_first(cython.address(path))
    return True


def tree_cut(tree, bound):
    node: cython.pointer(Node) = tree.root
    index: cython.int
    rank: cython.Py_ssize_t = 0
    while node != cython.NULL:
        index = cut(node, bound)
        if node.level == 0:
            return rank + index
        if index == 0:
            return rank
        rank += weight(node, 0, index - 1)
        node = branch(node, index - 1).child
    return rank


def tree_seek(tree, rank, cursor):
    node: cython.pointer(Node) = tree.root
    index: cython.int
    left: cython.Py_ssize_t = rank
    cursor.height = 0
    if left < 0 or left >= tree.count:
        return cython.NULL
    while True:
        cursor.nodes[cursor.height] = node
        if node.level == 0:
            cursor.indexes[cursor.height] = cython.cast(cython.int, left)
            cursor.height += 1
            return element(node, left)
        index = 0
        while left >= branch(node, index).count:
            left -= branch(node, index).count
            index += 1
        cursor.indexes[cursor.height] = index
        cursor.height += 1
        node = branch(node, index).child


def cursor_next(cursor):
    depth: cython.int = cursor.height - 1
    node: cython.pointer(Node)
    while depth >= 0:
        cursor.indexes[depth] += 1
        if cursor.indexes[depth] < cython.cast(cython.int, cursor.nodes[depth].count):
            node = cursor.nodes[depth]
            while node.level:
                node = branch(node, cursor.indexes[depth]).child
                depth += 1
                cursor.nodes[depth] = node
                cursor.indexes[depth] = 0
            return element(node, cursor.indexes[depth])
        depth -= 1
    cursor.height = 0
    return cython.NULL


def cursor_previous(cursor):
    depth: cython.int = cursor.height - 1
    node: cython.pointer(Node)
    while depth >= 0:
        cursor.indexes[depth] -= 1
        if cursor.indexes[depth] >= 0:
            node = cursor.nodes[depth]
            while node.level:
                node = branch(node, cursor.indexes[depth]).child
                depth += 1
                cursor.nodes[depth] = node
                cursor.indexes[depth] = cython.cast(cython.int, node.count) - 1
            return element(node, cursor.indexes[depth])
        depth -= 1
    cursor.height = 0
    return cython.NULL


def tree_free_some(tree, budget):
    path: Cursor
    node: cython.pointer(Node)
    depth: cython.int
    left: cython.Py_ssize_t = budget
    before: cython.int
    owner: cython.pointer(cython.pointer(Node))
    while tree.root != cython.NULL and left > 0:
        node = tree.root
        depth = 0
        while node.level:
            path.nodes[depth] = node
            path.indexes[depth] = cython.cast(cython.int, node.count) - 1
            node = branch(node, path.indexes[depth]).child
            depth += 1
        before = node.count
        left -= before
        tree.count -= before
        release(node, node_size(0, before))
        while depth > 0:
            depth -= 1
            node = path.nodes[depth]
            node.count -= 1
            if node.count:
                owner = (cython.address(tree.root) if depth == 0
                         else cython.address(branch(path.nodes[depth - 1], path.indexes[depth - 1]).child))
                refit(owner, node.count + 1, node.count)
                while depth > 0:
                    depth -= 1
                    branch(path.nodes[depth], path.indexes[depth]).count -= before
                break
            release(node, node_size(node.level, 1))
        if tree.count == 0:
            tree.root = cython.NULL
    return tree.count


@cython.cfunc
@cython.exceptval(check=False)
def free_node(node: cython.pointer(Node)) -> cython.void:
    i: cython.Py_ssize_t
    if node.level:
        for i in range(node.count):
            free_node(branch(node, i).child)
    release(node, node_size(node.level, node.count))


def tree_free(tree):
    if tree.root != cython.NULL:
        free_node(tree.root)
    tree.root = cython.NULL
    tree.count = 0


@cython.cfunc
@cython.exceptval(check=False)
def bytes_below(node: cython.pointer(Node)) -> cython.size_t:
    i: cython.Py_ssize_t
    total: cython.size_t = block_size(node_size(node.level, node.count))
    if node.level == 1:
        # A branch knows how full its leaf is: the leaves need not be touched.
        for i in range(node.count):
            total += block_size(node_size(0, branch(node, i).count))
    elif node.level:
        for i in range(node.count):
            total += bytes_below(branch(node, i).child)
    return total


def tree_bytes(tree):
    return bytes_below(tree.root) if tree.root != cython.NULL else 0


@cython.cfunc
@cython.exceptval(-1, check=False)
def check_node(node: cython.pointer(Node), level: cython.uint, right_edge: cython.bint, is_root: cython.bint,
               last: cython.pointer(Ranked)) -> cython.Py_ssize_t:
    """The items below the node; `last` is the item before them, and then the last of them."""
    i: cython.Py_ssize_t
    total: cython.Py_ssize_t = 0
    below: cython.Py_ssize_t
    bound: Bound
    item: cython.pointer(Ranked)
    assert node.level == level
    assert 1 <= node.count <= WIDTH
    assert right_edge or is_root or node.count >= cython.cast(cython.uint, LOW)
    assert not (is_root and level) or node.count > 1
    for i in range(node.count):
        item = element(node, i)
        if level == 0:
            assert item.score == item.score
            if last.entry != cython.NULL:
                exactly(cython.address(bound), item.score, entry_key(item.entry), item.entry.key_length, False)
                assert precedes(last, cython.address(bound)), "out of order"
            last[0] = item[0]
            total += 1
        else:
            below = check_node(branch(node, i).child, level - 1, right_edge and i == node.count - 1, False, last)
            assert below == branch(node, i).count
            assert item.score == element(branch(node, i).child, 0).score
            assert item.entry == element(branch(node, i).child, 0).entry
            total += below
    return total


def tree_check(tree):
    last: Ranked
    last.score = 0
    last.entry = cython.NULL
    if tree.root == cython.NULL:
        assert tree.count == 0
        return 0
    assert check_node(tree.root, tree.root.level, True, True, cython.address(last)) == tree.count
    return 0
