import Columns

/// What the values of a key, or the elements of its arrays, have looked like so far.
struct JSONEvidence {
  /// The type that the reader was asked for; nothing is inferred then.
  let wanted: DataType?
  private var scalars = ColumnEvidence()
  /// `NaN` and the infinities are strings in JSON.
  private var hasNonFinite = false
  /// What the arrays hold: one evidence, or none where no array was seen.
  private var elements: [JSONEvidence] = []
  /// What the objects hold; nil where no object was seen.
  private var members: JSONMembers?

  init(wanted: DataType? = nil) { self.wanted = wanted }

  /// The narrowest type that keeps every value: arrays are lists of `item`, objects structures of all members seen. What does
  /// not fit together, and objects without any member, are their texts.
  var type: DataType { type(isName: false) }

  /// - Parameter isName: the values name something (`ColumnEvidence.nameType`).
  func type(isName: Bool) -> DataType {
    if let wanted { return wanted }
    if !elements.isEmpty || members != nil {
      guard scalars.kinds.isEmpty && !hasNonFinite && (elements.isEmpty || members == nil) else { return .string }
      if let element = elements.first { return .list(Field("item", element.type)) }
      let fields = members?.fields ?? []
      return fields.isEmpty ? .string : .structure(fields)
    }
    guard hasNonFinite else { return isName ? scalars.nameType : scalars.type }
    if scalars.kinds.isEmpty || !scalars.kinds.isSubset(of: .numbers) { return .string }
    var numbers = scalars
    numbers.kinds.insert(.float)
    return isName ? numbers.nameType : numbers.type
  }

  /// Takes the scanner's next value into account, and goes behind it.
  mutating func note(_ scanner: inout JSONLineScanner) throws(TextError) {
    if wanted != nil {
      _ = try scanner.value()
      return
    }
    guard let kind = try scanner.enter() else {
      note(try scanner.value())
      return
    }
    var isFirst = true
    if kind == .array {
      if elements.isEmpty { elements.append(JSONEvidence()) }
      while try scanner.nextElement(isFirst: &isFirst) { try elements[0].note(&scanner) }
    } else {
      var found = members ?? JSONMembers()
      members = nil
      try found.note(&scanner, types: nil)
      members = found
    }
    scanner.leave()
  }

  private mutating func note(_ token: JSONToken) {
    switch token.kind {
    case .null, .array, .object: break
    case .bool: scalars.kinds.insert(.bool)
    case .integer:
      if let value = NumberText.parseInt64(token.bytes) {
        scalars.kinds.formUnion(ColumnEvidence.kinds(of: value))
      } else {
        scalars.kinds.insert(NumberText.parseUInt64(token.bytes) == nil ? .text : .unsigned)
      }
    case .float:
      scalars.kinds.formUnion(NumberText.parseDouble(token.bytes).map { ColumnEvidence.kinds(ofFloat: token.bytes, $0) } ?? .text)
    case .escapedString: scalars.kinds.insert(.text)
    case .string:
      if scalars.isText { break }
      if JSONValues.nonFinite(token.bytes) != nil {
        hasNonFinite = true
      } else if let kinds = JSONValues.timestampKinds(token.bytes) {
        scalars.kinds.formUnion(kinds)
      } else {
        scalars.kinds.insert(.text)
      }
    }
  }

  /// Adds what another part of the file showed.
  mutating func formUnion(_ other: JSONEvidence) {
    scalars.kinds.formUnion(other.scalars.kinds)
    hasNonFinite = hasNonFinite || other.hasNonFinite
    if let element = other.elements.first {
      if elements.isEmpty { elements.append(element) } else { elements[0].formUnion(element) }
    }
    if let theirs = other.members {
      if members == nil { members = theirs } else { members!.formUnion(theirs) }
    }
  }
}

/// The members that objects had so far, in the order in which they first appeared.
struct JSONMembers {
  private(set) var keys = JSONKeys()
  private(set) var evidence: [JSONEvidence] = []
  private(set) var objectCount = 0

  var fields: [Field] { fields(named: []) }

  /// - Parameter names: members whose values name something.
  func fields(named names: Set<String>) -> [Field] {
    zip(keys.names, evidence).map {
      let name = String(decoding: $0, as: UTF8.self)
      return Field(name, $1.type(isName: names.contains(name)))
    }
  }

  /// Takes the members of an object into account whose brace has been read.
  /// - Parameter types: the types wanted of members.
  mutating func note(_ scanner: inout JSONLineScanner, types: Schema?) throws(TextError) {
    objectCount += 1
    var isFirst = true
    var expected = 0
    while let key = try scanner.nextKey(isFirst: &isFirst) {
      let index: Int
      if let found = keys.index(of: key, expected: expected) {
        index = found
      } else {
        guard let name = JSONValues.plain(key) else {
          throw scanner.error("a member's name is not valid text")
        }
        // A name with escapes may be known in its plain form.
        index = insert(name, types)
      }
      expected = index + 1
      try evidence[index].note(&scanner)
    }
  }

  /// The index of a name, appended if it is new.
  @discardableResult mutating func insert(_ name: [UInt8], _ types: Schema?) -> Int {
    let index = keys.insert(name)
    if index == evidence.count { evidence.append(JSONEvidence(wanted: types?[String(decoding: name, as: UTF8.self)]?.type)) }
    return index
  }

  mutating func formUnion(_ other: JSONMembers) {
    objectCount += other.objectCount
    for (name, theirs) in zip(other.keys.names, other.evidence) {
      let index = keys.insert(name)
      if index == evidence.count { evidence.append(theirs) } else { evidence[index].formUnion(theirs) }
    }
  }
}

/// The keys of objects, as bytes: strings that only look alike stay apart.
struct JSONKeys {
  private(set) var names: [[UInt8]] = []
  private var indices: [[UInt8]: Int] = [:]

  func index(of name: [UInt8]) -> Int? { indices[name] }

  /// - Parameter expected: where the key is looked for first, as objects mostly have one order of keys.
  @inline(__always) func index(of key: JSONToken, expected: Int) -> Int? {
    if key.kind == .escapedString { return nil }
    if expected < names.count && matches(names[expected], key.bytes) { return expected }
    return indices[Array(key.bytes)]
  }

  @inline(__always) private func matches(_ name: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard name.count == bytes.count else { return false }
    for index in 0..<name.count where name[index] != bytes[index] { return false }
    return true
  }

  /// The index of a name, appended if it is new.
  mutating func insert(_ name: [UInt8]) -> Int {
    if let index = indices[name] { return index }
    indices[name] = names.count
    names.append(name)
    return names.count - 1
  }
}
