/// git's recursive merge over plain dictionaries, by key and by cell: what a history of commits must come to.
struct MergeModel {
  struct Row: Equatable {
    var cells: [Int?]
    /// Of a base: cells that have no value, as the ancestors disagree; and whether they disagree about the row at all.
    var disputed: Set<Int> = []
    var isDisputed = false
  }

  typealias Table = [Int: Row]

  struct Commit {
    let parents: [Int]
    let table: Table
  }

  struct Conflict: Equatable {
    enum Kind: String { case update, insert, delete }
    let kind: Kind
    /// Of update and insert.
    let cells: Set<Int>
    /// The base row without what is disputed.
    let base: [Int: Int?]?
  }

  struct Outcome {
    /// Decided for the first side.
    var table: Table = [:]
    var conflicts: [Int: Conflict] = [:]
    /// As the base of another merge.
    var base: Table = [:]
  }

  private(set) var commits: [Commit] = []

  mutating func add(_ parents: [Int], _ table: Table) -> Int {
    commits.append(Commit(parents: parents, table: table))
    return commits.count - 1
  }

  // MARK: Ancestors

  func ancestors(_ start: [Int]) -> Set<Int> {
    var seen = Set(start)
    var open = start
    while let next = open.popLast() { for parent in commits[next].parents where seen.insert(parent).inserted { open.append(parent) } }
    return seen
  }

  /// The best common ancestors, the oldest first.
  func bases(_ a: [Int], _ b: [Int]) -> [Int] {
    let common = ancestors(a).intersection(ancestors(b))
    return common.filter { one in !common.contains { $0 != one && ancestors([$0]).contains(one) } }.sorted()
  }

  /// What some commits come to as one base.
  func base(_ commits: [Int]) -> Table {
    guard let first = commits.first else { return [:] }
    var table = self.commits[first].table
    for index in commits.indices.dropFirst() {
      let next = commits[index]
      table = Self.merge(base: base(bases(Array(commits[..<index]), [next])), table, self.commits[next].table).base
    }
    return table
  }

  /// Merges two commits; nil where the second is in the first already.
  func merge(_ first: Int, _ second: Int) -> Outcome {
    Self.merge(base: base(bases([first], [second])), commits[first].table, commits[second].table)
  }

  // MARK: Rows

  static func merge(base: Table, _ first: Table, _ second: Table) -> Outcome {
    var outcome = Outcome()
    for key in Set(base.keys).union(first.keys).union(second.keys) {
      let (b, x, y) = (base[key], first[key], second[key])
      let open = (b?.disputed ?? []).union(x?.disputed ?? [])
      let isOpen = b?.isDisputed ?? false || x?.isDisputed ?? false
      func conflict(_ kind: Conflict.Kind, _ cells: Set<Int>) -> Conflict {
        Conflict(
          kind: kind, cells: kind == .delete ? [] : cells,
          base: b.map { b in Dictionary(uniqueKeysWithValues: b.cells.indices.filter { !open.contains($0) }.map { ($0, b.cells[$0]) }) })
      }
      switch (x, y) {
      case (nil, nil): break
      case (let x?, let y?):
        var row = x
        var clashes: Set<Int> = []
        for cell in x.cells.indices where x.cells[cell] != y.cells[cell] {
          let isFree = b != nil && !open.contains(cell)
          if isFree, y.cells[cell] == b?.cells[cell] { continue }
          if isFree, x.cells[cell] == b?.cells[cell] { row.cells[cell] = y.cells[cell] } else { clashes.insert(cell) }
        }
        outcome.table[key] = Row(cells: row.cells)
        if !clashes.isEmpty { outcome.conflicts[key] = conflict(b == nil ? .insert : .update, clashes) }
        row.disputed.formUnion(clashes)
        row.isDisputed = row.isDisputed || !clashes.isEmpty
        outcome.base[key] = row
      case (let one?, nil), (nil, let one?):
        guard let b else {
          outcome.table[key] = Row(cells: one.cells)
          outcome.base[key] = one
          continue
        }
        let changed = Set(b.cells.indices.filter { b.cells[$0] != one.cells[$0] })
        guard isOpen || !changed.isEmpty else { continue }
        outcome.conflicts[key] = conflict(.delete, [])
        outcome.table[key] = x.map { Row(cells: $0.cells) }
        outcome.base[key] = Row(cells: one.cells, disputed: open.union(changed), isDisputed: true)
      }
    }
    return outcome
  }
}
