import Columns
import History

/// The rows of a tail that belong to one partition.
struct TailPiece: Hashable, Sendable {
  let id: TailID
  /// Of the tail's file.
  let rows: Range<Int>
}

/// Whether tails over the leaves of a partition do what they say: an insert's key is not there below it, an update's and a delete's is.
struct TailTruth {
  struct Problem: Hashable {
    let tail: TailID
    let detail: String
    /// Rows of the tail.
    let rowCount: Int
  }

  /// What is known of a tail's rows.
  private struct Rows: Sendable {
    let keys: [Column]
    let codes: [RowOperation]
    /// Whether the leaves have the key.
    var isInLeaves: [Bool]
    /// Nothing can be found in rows that do not ascend.
    let isAscending: Bool
  }

  private let form: KeyForm
  private let number: Int64
  /// In order, and as their tree says.
  private let leaves: [LeafEntry]
  private let archive: Archive
  private var rows: [TailPiece: Rows] = [:]

  /// - Parameter number: of the partition.
  init(_ form: KeyForm, partition number: Int64, leaves: [LeafEntry], archive: Archive) {
    self.form = form
    self.number = number
    self.leaves = leaves
    self.archive = archive
  }

  /// - Parameter chains: lists of tails, the oldest first, which may share their beginnings.
  /// - Returns: what is wrong with the last tail of a list over those before it.
  /// - Complexity: O(rows of the tails), and the key columns of the leaves that they fall into, once for all of them
  mutating func problems(of chains: [[TailPiece]]) throws -> [(problem: Problem, chain: [TailPiece])] {
    for chain in chains { for piece in chain where rows[piece] == nil { rows[piece] = try read(piece) } }
    try lookIntoLeaves()
    var checked: Set<[TailPiece]> = []
    var found: [(problem: Problem, chain: [TailPiece])] = []
    for chain in chains {
      for length in 1...chain.count where checked.insert(Array(chain.prefix(length))).inserted {
        if let problem = problem(chain[length - 1], over: chain.prefix(length - 1)) { found.append((problem, Array(chain.prefix(length)))) }
      }
    }
    return found
  }

  private func read(_ piece: TailPiece) throws -> Rows {
    let stored = try StoredRows(tail: piece.id, in: archive)
    guard piece.rows.upperBound <= stored.rowCount else {
      throw TableError(.corrupt, "Cannot read tail \(piece.id): expected \(piece.rows.upperBound) rows at least, found \(stored.rowCount)")
    }
    let batch = try stored.read(form.fields + [RowOperation.field], rows: piece.rows)
    let keys = Array(batch.columns.dropLast())
    let codes = try batch.columns[keys.count].values(Int8.self).array.map { code -> RowOperation in
      guard let operation = RowOperation(rawValue: code) else {
        throw TableError(.corrupt, "Cannot read tail \(piece.id): operation \(code) is unknown")
      }
      return operation
    }
    let isAscending =
      keys.allSatisfy { $0.nullCount == 0 } && SortKernel.firstInversion(in: keys) == nil && SortKernel.firstDuplicate(in: keys) == nil
    return Rows(keys: keys, codes: codes, isInLeaves: [Bool](repeating: false, count: codes.count), isAscending: isAscending)
  }

  /// Looks the keys of all tails up in the leaves, one leaf at a time on each processor.
  private mutating func lookIntoLeaves() throws {
    struct Part: Sendable {
      let piece: TailPiece
      let rows: Range<Int>
    }
    var parts: [[Part]] = leaves.map { _ in [] }
    for (piece, rows) in rows where rows.isAscending {
      var next = 0
      for (index, leaf) in leaves.enumerated() where next < rows.codes.count {
        let end = SortedKeys.firstRow(after: leaf.lastKey, in: next..<rows.codes.count, keys: rows.keys)
        if end > next { parts[index].append(Part(piece: piece, rows: next..<end)) }
        next = end
      }
    }
    let (archive, form, known) = (archive, form, rows)
    let tasks = leaves.indices.filter { !parts[$0].isEmpty }.map { (leaf: leaves[$0].id, parts: parts[$0]) }
    let found = try parallelMap(tasks) { task -> [(part: Part, isThere: [Bool])] in
      let stored = try StoredRows(leaf: task.leaf, in: archive)
      let columns = try stored.read(form.fields).columns
      return task.parts.compactMap { part in
        guard let rows = known[part.piece] else { return nil }
        var search = KeySearch(wantedCount: part.rows.count, storedCount: stored.rowCount)
        for (mine, theirs) in zip(columns, rows.keys) {
          search.narrow(stored: mine, wanted: theirs.slice(from: part.rows.lowerBound, count: part.rows.count))
        }
        return (part, (0..<part.rows.count).map { search.match($0) != nil })
      }
    }
    for (part, isThere) in found.joined() { rows[part.piece]?.isInLeaves.replaceSubrange(part.rows, with: isThere) }
  }

  private func problem(_ piece: TailPiece, over below: ArraySlice<TailPiece>) -> Problem? {
    guard let own = rows[piece], own.isAscending else { return nil }
    var isThere = own.isInLeaves
    for lower in below {
      guard let rows = rows[lower], rows.isAscending else { return nil }
      var search = KeySearch(wantedCount: own.codes.count, storedCount: rows.codes.count)
      for (mine, theirs) in zip(rows.keys, own.keys) { search.narrow(stored: mine, wanted: theirs) }
      // Of one key the newest decides: it comes last.
      for row in own.codes.indices { if let match = search.match(row) { isThere[row] = rows.codes[match] != .delete } }
    }
    guard let row = own.codes.indices.first(where: { (own.codes[$0] == .insert) == isThere[$0] }) else { return nil }
    let key = (try? KeyEncoder.encode(own.keys, row: row)).map { form.text($0) } ?? "a key"
    let verb = ["insert", "update", "delete"][Int(own.codes[row].rawValue)]
    let state = isThere[row] ? "is there already" : "is not there"
    return Problem(
      tail: piece.id, detail: "its \(verb) of \(key) in partition \(number) is of a key that \(state) below it",
      rowCount: own.codes.count)
  }
}
