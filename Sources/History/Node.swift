import Objects

/// One leaf of a partition, as its tree names it.
package struct LeafEntry: Hashable, Sendable {
  /// Memcomparable bytes of the first and of the last row's key.
  package let firstKey: [UInt8]
  package let lastKey: [UInt8]
  package let rowCount: Int
  package let id: LeafID

  package init(firstKey: [UInt8], lastKey: [UInt8], rowCount: Int, id: LeafID) {
    self.firstKey = firstKey
    self.lastKey = lastKey
    self.rowCount = rowCount
    self.id = id
  }
}

/// One partition of a dataset version.
package struct PartitionEntry: Hashable, Sendable {
  /// Months or days since 1970; 0 when the dataset is not partitioned.
  package let number: Int64
  package let tree: NodeID
  package let rowCount: Int

  package init(number: Int64, tree: NodeID, rowCount: Int) {
    self.number = number
    self.tree = tree
    self.rowCount = rowCount
  }

  /// Big-endian with the sign flipped, so that the order of bytes is the order of numbers.
  var key: [UInt8] { withUnsafeBytes(of: (UInt64(bitPattern: number) ^ 1 << 63).bigEndian) { Array($0) } }

  static func number(fromKey key: [UInt8]) -> Int64? {
    guard key.count == 8 else { return nil }
    return Int64(bitPattern: key.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } ^ 1 << 63)
  }
}

/// A node of a tree over leaves, or over the partitions of a dataset version (docs/format/repository.md).
struct Node: Hashable, Sendable {
  enum Kind: UInt8, Sendable {
    /// Level 1 names leaves.
    case leaves = 0
    /// Level 1 names the trees of partitions.
    case partitions = 1
  }

  struct Entry: Hashable, Sendable {
    let firstKey: [UInt8]
    let lastKey: [UInt8]
    let rowCount: Int
    let child: Hash256
  }

  let kind: Kind
  /// 1 above what the tree is over.
  let level: Int
  let entries: [Entry]
  /// The first entry, from 0, whose keys do not ascend: nothing can be found in such a node by key. Nil in all that should be.
  var disorderedEntry: Int? {
    entries.indices.first { index in
      let entry = entries[index]
      return entry.lastKey.lexicographicallyPrecedes(entry.firstKey)
        || index > 0 && !entries[index - 1].lastKey.lexicographicallyPrecedes(entry.firstKey)
    }
  }

  /// The cut rule for entries of nodes.
  static let targetEntryCount = 256
  static let entryCountMax = 2 * targetEntryCount
  /// 32 entries a node at least: 2^60 leaves have 12 levels.
  static let levelMax = 16
  /// Sums of row counts over a node stay far from overflow.
  static let rowCountMax = 1 << 48
  private static let magic = Array("ALMN".utf8)
  private static let format: UInt8 = 1

  var rowCount: Int { entries.reduce(0) { $0 + $1.rowCount } }

  var encoded: [UInt8] {
    var bytes = Self.magic
    bytes += [Self.format, kind.rawValue, UInt8(level), 0]
    bytes.appendLittleEndian(UInt32(entries.count))
    for entry in entries {
      bytes.appendLittleEndian(UInt32(entry.firstKey.count))
      bytes += entry.firstKey
      bytes.appendLittleEndian(UInt32(entry.lastKey.count))
      bytes += entry.lastKey
      bytes.appendLittleEndian(UInt64(entry.rowCount))
      bytes += entry.child.bytes
    }
    return bytes
  }

  init(kind: Kind, level: Int, entries: [Entry]) {
    self.kind = kind
    self.level = level
    self.entries = entries
  }

  /// - Parameter object: for messages.
  /// - Throws: `corrupt` unless the bytes are exactly one node with ascending keys.
  init(decoding bytes: [UInt8], object: String) throws(StoreError) {
    try self.init(decodingAnyOrder: bytes, object: object)
    if let index = disorderedEntry {
      throw StoreError(kind: .corrupt, text: "Cannot read \(object): the keys of entry \(index) do not ascend")
    }
  }

  /// A node whatever the order of its keys: for those who only ask what it names.
  init(decodingAnyOrder bytes: [UInt8], object: String) throws(StoreError) {
    var reader = ByteReader(bytes, object: object)
    guard try Array(reader.take(4, "magic")) == Self.magic else { throw reader.corrupt("it does not start with ALMN") }
    let format = try reader.integer(UInt8.self, "format")
    guard format == Self.format else { throw reader.corrupt("expected node format \(Self.format), found \(format)") }
    guard let kind = Kind(rawValue: try reader.integer(UInt8.self, "kind")) else { throw reader.corrupt("unknown kind of node") }
    let level = Int(try reader.integer(UInt8.self, "level"))
    guard (1...Self.levelMax).contains(level) else { throw reader.corrupt("expected a level of 1 to \(Self.levelMax), found \(level)") }
    guard try reader.integer(UInt8.self, "padding") == 0 else { throw reader.corrupt("the padding is not zero") }
    let count = try reader.count(UInt32.self, "entry count", most: Self.entryCountMax)
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    for _ in 0..<count {
      let firstKey = Array(try reader.take(Int(reader.integer(UInt32.self, "key length")), "first key"))
      let lastKey = Array(try reader.take(Int(reader.integer(UInt32.self, "key length")), "last key"))
      let rowCount = try reader.count(UInt64.self, "row count", most: Self.rowCountMax)
      let child = Hash256(bytes: try reader.take(Hash256.byteCount, "child id"))
      entries.append(Entry(firstKey: firstKey, lastKey: lastKey, rowCount: rowCount, child: child))
    }
    guard reader.isAtEnd else { throw reader.corrupt("expected \(reader.position) bytes, found \(bytes.count)") }
    self.init(kind: kind, level: level, entries: entries)
  }
}

/// Builds trees from the bottom: a pure function of the entries.
enum TreeBuilder {
  /// All nodes of the tree, the top one last; for no entries one empty node. - Complexity: O(entries)
  static func nodes(kind: Node.Kind, over entries: [Node.Entry]) -> [(id: NodeID, node: Node, bytes: [UInt8])] {
    var all: [(id: NodeID, node: Node, bytes: [UInt8])] = []
    var below = entries
    var level = 1
    repeat {
      let rule = CutRule(level: UInt64(level), targetRowCount: Node.targetEntryCount)
      var above: [Node.Entry] = []
      var start = 0
      for index in below.indices {
        let isLast = index == below.count - 1
        guard isLast || rule.isCut(keyBytes: below[index].lastKey, rowsIncludingThis: index - start + 1) else { continue }
        let node = Node(kind: kind, level: level, entries: Array(below[start...index]))
        start = index + 1
        let bytes = node.encoded
        let id = NodeID(bytes: Checksum.sha256(bytes))
        all.append((id, node, bytes))
        above.append(
          Node.Entry(
            firstKey: node.entries[0].firstKey, lastKey: below[index].lastKey, rowCount: node.rowCount, child: id.hash))
      }
      if below.isEmpty {
        let node = Node(kind: kind, level: 1, entries: [])
        let bytes = node.encoded
        all.append((NodeID(bytes: Checksum.sha256(bytes)), node, bytes))
      }
      below = above
      level += 1
    } while below.count > 1
    return all
  }
}
