/// Where an object's bytes are and how to tell that they are intact.
package struct ObjectRecord: Hashable, Sendable {
  package enum Place: Hashable, Sendable {
    /// A file of its own, whose path follows from the id.
    case ownFile
    /// A range of the pack of that name.
    case pack(name: String, offset: Int)
  }

  /// Of ids, and of SHA-256.
  static let idByteCount = 32

  /// What the object is; History gives the numbers their meaning.
  package let kind: UInt8
  /// 32 bytes.
  package let id: [UInt8]
  package let place: Place
  /// Length of the object's bytes.
  package let byteCount: Int
  /// Of the file, for an object with a file of its own; the id checks an object in a pack.
  package let fileSHA256: [UInt8]?
  /// Opaque bytes kept beside the object.
  package let digests: [UInt8]?

  package init(
    kind: UInt8, id: [UInt8], place: Place, byteCount: Int, fileSHA256: [UInt8]? = nil, digests: [UInt8]? = nil
  ) {
    self.kind = kind
    self.id = id
    self.place = place
    self.byteCount = byteCount
    self.fileSHA256 = fileSHA256
    self.digests = digests
  }
}

/// A name and the 32 bytes it stands for.
package struct RefRecord: Hashable, Sendable {
  package let name: String
  package let kind: UInt8
  package let target: [UInt8]

  package init(name: String, kind: UInt8, target: [UInt8]) {
    self.name = name
    self.kind = kind
    self.target = target
  }
}

/// One move of a ref.
package struct RefLogRecord: Hashable, Sendable {
  /// Counts the moves of a repository from 1, without gaps.
  package let sequence: Int64
  package let ref: String
  package let refKind: UInt8
  /// Nil when the ref was made by this move.
  package let old: [UInt8]?
  /// Nil when the ref was deleted by this move.
  package let new: [UInt8]?
  /// Microseconds since 1970 UTC; greater than that of every earlier move of this ref, and unless the move was imported from
  /// another repository, of the move before.
  package let timeMicros: Int64
  package let reason: String

  /// So many moves nobody makes; a greater number is damage, and every number has one that comes after it.
  package static let sequenceMax: Int64 = 1 << 48
  /// What lies outside is damage.
  package static let timeMicrosRange: ClosedRange<Int64> = -(1 << 61)...1 << 61
  /// Every time that is no damage has one that comes after it.
  static let nextMicrosMax: Int64 = 1 << 62

  package init(
    sequence: Int64, ref: String, refKind: UInt8, old: [UInt8]?, new: [UInt8]?, timeMicros: Int64, reason: String
  ) {
    self.sequence = sequence
    self.ref = ref
    self.refKind = refKind
    self.old = old
    self.new = new
    self.timeMicros = timeMicros
    self.reason = reason
  }
}

/// A wish to let a ref stand for something else, if it still stands for what the wisher saw.
package struct RefMove: Hashable, Sendable {
  package let name: String
  package let kind: UInt8
  /// Nil: the ref must not exist.
  package let expecting: [UInt8]?
  /// Nil: the ref is deleted.
  package let new: [UInt8]?
  package let reason: String

  package init(name: String, kind: UInt8, expecting: [UInt8]?, new: [UInt8]?, reason: String) {
    self.name = name
    self.kind = kind
    self.expecting = expecting
    self.new = new
    self.reason = reason
  }
}

package enum RefMoveOutcome: Hashable, Sendable {
  case moved(RefLogRecord)
  /// The ref stood for `new` already; nothing was written to the log.
  case alreadyThere
  /// The ref stands for something else than expected; nil: it does not exist.
  case lostRace(current: [UInt8]?)
  /// The ref exists with another kind.
  case otherKind(UInt8)
}
