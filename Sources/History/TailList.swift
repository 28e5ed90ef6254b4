import JSON
import Objects

/// The rows of one partition in a tail.
package struct TailPart: Hashable, Sendable {
  package let partition: Int64
  /// Rows of the file: inserts, updates and deletes together.
  package let rowCount: Int
  package let insertCount: Int
  package let deleteCount: Int

  package init(partition: Int64, rowCount: Int, insertCount: Int, deleteCount: Int) {
    self.partition = partition
    self.rowCount = rowCount
    self.insertCount = insertCount
    self.deleteCount = deleteCount
  }

  package var updateCount: Int { rowCount - insertCount - deleteCount }
}

/// One tail of a dataset version: a file of operations in the order of (partition, key).
package struct TailEntry: Hashable, Sendable {
  package let id: TailID
  /// Ascends within the list of one root; says nothing between roots.
  package let sequence: Int
  /// The directory of the file, ascending by partition: rows of one part follow those of the part before.
  package let parts: [TailPart]

  package init(id: TailID, sequence: Int, parts: [TailPart]) {
    self.id = id
    self.sequence = sequence
    self.parts = parts
  }

  package var rowCount: Int { parts.reduce(0) { $0 + $1.rowCount } }

  /// The part of a partition and the rows of the file that it has; nil if it has none.
  package func part(_ partition: Int64) -> (part: TailPart, rows: Range<Int>)? {
    var start = 0
    for part in parts {
      if part.partition == partition { return (part, start..<start + part.rowCount) }
      start += part.rowCount
    }
    return nil
  }
}

/// The tails of a dataset version, and how far each partition has taken them into its leaves.
package struct TailList: Hashable, Sendable {
  /// Ascending by sequence; the later wins.
  package let entries: [TailEntry]
  /// By partition, the sequence of the last tail whose rows its leaves hold. Rows of those tails are not looked at there.
  package let folded: [Int64: Int]

  /// - Parameter folded: entries that say nothing about the tails are dropped.
  package init(_ entries: [TailEntry] = [], folded: [Int64: Int] = [:]) {
    let live = entries.filter { entry in entry.parts.contains { entry.sequence > folded[$0.partition] ?? -1 } }
    self.entries = live
    self.folded = folded.filter { partition, sequence in
      live.contains { entry in entry.sequence <= sequence && entry.parts.contains { $0.partition == partition } }
    }
  }

  package var isEmpty: Bool { entries.isEmpty }
  /// Above that of every tail, and of those that are gone but up to which a partition has been folded.
  package var nextSequence: Int { max(entries.last?.sequence ?? 0, folded.values.max() ?? 0) + 1 }

  /// Whether a partition still reads the rows that a tail has for it.
  package func isLive(_ entry: TailEntry, _ partition: Int64) -> Bool { entry.sequence > folded[partition] ?? -1 }

  /// Partitions with rows in tails that their leaves do not hold, ascending.
  package var partitions: [Int64] {
    Set(entries.flatMap { entry in entry.parts.map(\.partition).filter { isLive(entry, $0) } }).sorted()
  }

  /// What the tails add to the rows of the leaves.
  package var addedRowCount: Int { partitions.reduce(0) { $0 + addedRowCount(in: $1) } }

  package func addedRowCount(in partition: Int64) -> Int {
    live(partition).reduce(0) { $0 + $1.part.insertCount - $1.part.deleteCount }
  }

  /// The tails that a partition reads, the oldest first, with its rows in each file.
  package func live(_ partition: Int64) -> [(entry: TailEntry, part: TailPart, rows: Range<Int>)] {
    entries.compactMap { entry in
      guard isLive(entry, partition), let (part, rows) = entry.part(partition) else { return nil }
      return (entry, part, rows)
    }
  }
}

extension TailList {
  var json: JSON {
    .array(
      entries.map { entry in
        let parts = entry.parts.map { part -> JSON in
          .array([.int(part.partition), .int(Int64(part.rowCount)), .int(Int64(part.insertCount)), .int(Int64(part.deleteCount))])
        }
        return ["id": .string(entry.id.hex), "sequence": .int(Int64(entry.sequence)), "partitions": .array(parts)]
      })
  }

  var foldedJSON: JSON {
    .array(folded.sorted { $0.key < $1.key }.map { .array([.int($0.key), .int(Int64($0.value))]) })
  }

  /// - Throws: `corrupt` unless sequences and partitions ascend and the counts of each part add up.
  init(decoding fields: StoredJSON) throws(StoreError) {
    var entries: [TailEntry] = []
    for item in try fields.array("tails") {
      let tail = StoredJSON(item, object: "a tail of \(fields.object)")
      let sequence = try tail.count("sequence")
      var parts: [TailPart] = []
      for item in try tail.array("partitions") {
        let numbers = try Self.integers(item, count: 4, tail)
        let (rows, inserts, deletes) = (numbers[1], numbers[2], numbers[3])
        guard inserts >= 0, deletes >= 0, rows > 0, inserts <= rows, deletes <= rows - inserts, rows <= Node.rowCountMax,
          parts.last.map({ $0.partition < numbers[0] }) ?? true
        else { throw tail.corrupt("the counts of partition \(numbers[0]) are impossible or partitions do not ascend") }
        parts.append(TailPart(partition: numbers[0], rowCount: Int(rows), insertCount: Int(inserts), deleteCount: Int(deletes)))
      }
      guard !parts.isEmpty, entries.last.map({ $0.sequence < sequence }) ?? true else {
        throw tail.corrupt("it has no partitions, or its sequence \(sequence) does not ascend")
      }
      entries.append(TailEntry(id: try tail.id("id"), sequence: sequence, parts: parts))
    }
    var folded: [Int64: Int] = [:]
    if fields.json["folded"] != nil {
      for item in try fields.array("folded") {
        let numbers = try Self.integers(item, count: 2, fields)
        guard numbers[1] >= 0 else { throw fields.corrupt("a partition was folded up to tail \(numbers[1])") }
        folded[numbers[0]] = Int(numbers[1])
      }
    }
    self.init(entries, folded: folded)
    guard self.entries.count == entries.count else { throw fields.corrupt("it has tails that no partition reads") }
  }

  private static func integers(_ json: JSON, count: Int, _ fields: StoredJSON) throws(StoreError) -> [Int64] {
    var numbers: [Int64] = []
    for item in json.arrayValue ?? [] { if case .int(let number) = item { numbers.append(number) } }
    guard numbers.count == count else { throw fields.corrupt("expected \(count) integers, found \(json.text())") }
    return numbers
  }
}
