/// 32 bytes that name something by its content.
package struct Hash256: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Big-endian, so that the order of numbers is the order of bytes.
  private let a: UInt64
  private let b: UInt64
  private let c: UInt64
  private let d: UInt64

  package static let byteCount = 32

  /// - Precondition: 32 bytes.
  package init(bytes: some Collection<UInt8>) {
    precondition(bytes.count == Self.byteCount, "A hash has 32 bytes, not \(bytes.count)")
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    a = UInt64(bigEndian: words.0)
    b = UInt64(bigEndian: words.1)
    c = UInt64(bigEndian: words.2)
    d = UInt64(bigEndian: words.3)
  }

  /// Nil unless the text is 64 hexadecimal digits; capitals are accepted.
  package init?(hex: some StringProtocol) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    var high: UInt8?
    for character in hex.utf8 {
      guard let digit = Hex.value(of: character) else { return nil }
      if let upper = high {
        bytes.append(upper << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    guard high == nil, bytes.count == Self.byteCount else { return nil }
    self.init(bytes: bytes)
  }

  package var bytes: [UInt8] {
    withUnsafeBytes(of: (a.bigEndian, b.bigEndian, c.bigEndian, d.bigEndian)) { Array($0) }
  }

  /// 64 small hexadecimal digits.
  package var description: String {
    String(unsafeUninitializedCapacity: 64) { buffer in
      for (index, byte) in bytes.enumerated() {
        buffer[2 * index] = Hex.digits[Int(byte >> 4)]
        buffer[2 * index + 1] = Hex.digits[Int(byte & 15)]
      }
      return 64
    }
  }

  package static func < (l: Hash256, r: Hash256) -> Bool { (l.a, l.b, l.c, l.d) < (r.a, r.b, r.c, r.d) }
}

enum Hex {
  static let digits = Array("0123456789abcdef".utf8)

  static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// The name of one kind of object; different kinds are different types, so that they cannot be mixed up.
package protocol HashID: Hashable, Sendable, Comparable, CustomStringConvertible {
  var hash: Hash256 { get }
  init(hash: Hash256)
}

extension HashID {
  /// - Precondition: 32 bytes.
  package init(bytes: some Collection<UInt8>) { self.init(hash: Hash256(bytes: bytes)) }

  /// Nil unless the text is 64 hexadecimal digits.
  package init?(hex: some StringProtocol) {
    guard let hash = Hash256(hex: hex) else { return nil }
    self.init(hash: hash)
  }

  package var bytes: [UInt8] { hash.bytes }
  package var hex: String { hash.description }
  package var description: String { hash.description }
  package static func < (l: Self, r: Self) -> Bool { l.hash < r.hash }
}

/// Names the rows of a leaf, whatever encoded its file.
package struct LeafID: HashID {
  package let hash: Hash256
  package init(hash: Hash256) { self.hash = hash }
}

/// Names the rows and operations of a tail, whatever encoded its file.
package struct TailID: HashID {
  package let hash: Hash256
  package init(hash: Hash256) { self.hash = hash }
}

/// Names a node of a tree, and with it everything beneath.
package struct NodeID: HashID {
  package let hash: Hash256
  package init(hash: Hash256) { self.hash = hash }
}

/// Names one version of one dataset.
package struct RootID: HashID {
  package let hash: Hash256
  package init(hash: Hash256) { self.hash = hash }
}

package struct CommitID: HashID {
  package let hash: Hash256
  package init(hash: Hash256) { self.hash = hash }
}

/// Names bytes that mean something to the rooms above: definitions, verdicts.
package struct BlobID: HashID {
  package let hash: Hash256
  package init(hash: Hash256) { self.hash = hash }
}

/// What an object is; the numbers stand in packs and in the catalog.
package enum ObjectKind: UInt8, CaseIterable, Sendable {
  case leaf = 1
  case node = 2
  case root = 3
  case commit = 4
  case blob = 5
  case tail = 6

  /// Leaves and tails are read in place by other programs, so they have files of their own; other kinds lie in packs.
  package var hasOwnFile: Bool { self == .leaf || self == .tail }

  package var name: String {
    switch self {
    case .leaf: "leaf"
    case .node: "node"
    case .root: "root"
    case .commit: "commit"
    case .blob: "blob"
    case .tail: "tail"
    }
  }
}

/// An object by kind and id: how the catalog finds it.
package struct ObjectKey: Hashable, Sendable {
  package let kind: ObjectKind
  package let id: Hash256

  package init(kind: ObjectKind, id: Hash256) {
    self.kind = kind
    self.id = id
  }
}
