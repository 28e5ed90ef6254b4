import Columns

extension FunctionCatalog {
  static let patterns: [String: [Overload]] = [
    "like": like(isCaseless: false), "ilike": like(isCaseless: true),
    "regexp_matches": expression([.string, .literal, .literal], optional: 1, .bool) { (expression, _) throws(FunctionRefusal) in
      .bool { (row) throws(KernelFailure) in try expression.firstMatch(row.bytes(0), from: 0) != nil }
    },
    "regexp_full_match": expression([.string, .literal, .literal], optional: 1, .bool, isWhole: true) {
      (expression, _) throws(FunctionRefusal) in
      .bool { (row) throws(KernelFailure) in try expression.firstMatch(row.bytes(0), from: 0) != nil }
    },
    "regexp_extract": [
      Overload([.string, .literal], .string) { (literals) throws(FunctionRefusal) in
        try extract(try RegularExpression(literals[1].string, options: ""), group: 0)
      },
      Overload([.string, .literal, .int], .string) { (literals) throws(FunctionRefusal) in
        guard case .int(let group)? = literals[2] else { throw FunctionRefusal(text: "the group of regexp_extract is a number") }
        return try extract(try RegularExpression(literals[1].string, options: ""), group: group)
      },
    ],
    "regexp_replace": [
      Overload([.string, .literal, .literal, .literal], .string, optional: 1) { (literals) throws(FunctionRefusal) in
        let options = literals.count > 3 ? literals[3].string : ""
        let expression = try RegularExpression(literals[1].string, options: options.filter { $0 != "g" })
        let replacement = try expression.replacement(literals[2].string)
        let isGlobal = options.contains("g")
        return .string { (row, target) throws(KernelFailure) in
          try expression.replace(row.bytes(0), replacement, isGlobal: isGlobal, &target)
          return true
        }
      }
    ],
  ]

  private static func extract(_ expression: RegularExpression, group: Int64) throws(FunctionRefusal) -> Kernel {
    guard (0...Int64(expression.groupCount)).contains(group) else {
      throw FunctionRefusal(text: "the regular expression has \(expression.groupCount) groups, group \(group) is asked for")
    }
    return .string { (row, target) throws(KernelFailure) in
      let bytes = row.bytes(0)
      if let match = try expression.firstMatch(bytes, from: 0), let range = match[Int(group)] {
        target.append(bytes: UnsafeRawBufferPointer(rebasing: bytes[range]))
      }
      return true
    }
  }

  private static func expression(
    _ parameters: [Parameter], optional: Int, _ result: DataType, isWhole: Bool = false,
    _ make: @escaping @Sendable (RegularExpression, [Literal?]) throws(FunctionRefusal) -> Kernel
  ) -> [Overload] {
    [
      Overload(parameters, result, optional: optional) { (literals) throws(FunctionRefusal) in
        try make(
          try RegularExpression(literals[1].string, options: literals.count > 2 ? literals[2].string : "", isWhole: isWhole), literals)
      }
    ]
  }

  private static func like(isCaseless: Bool) -> [Overload] {
    [
      .bool([.string, .string, .string], optional: 1) { (row) throws(KernelFailure) in
        var escape: UInt8?
        if row.count > 2 {
          guard row.bytes(2).count <= 1 else {
            throw KernelFailure(text: "the escape of like is one ASCII character, found '\(row.text(2))'")
          }
          escape = row.bytes(2).first
        }
        let pattern = row.bytes(1)
        if let escape {
          var position = 0
          while position < pattern.count {
            guard pattern[position] == escape else {
              position += 1
              continue
            }
            guard position + 1 < pattern.count else { throw KernelFailure(text: "the pattern of like ends with its escape") }
            position += 2
          }
        }
        guard isCaseless else { return CodePoints.isLike(row.bytes(0), pattern, escape: escape) }
        var (text, lowered) = (row.text(0).lowercased(), row.text(1).lowercased())
        return text.withUTF8 { text in
          lowered.withUTF8 { CodePoints.isLike(UnsafeRawBufferPointer(text), UnsafeRawBufferPointer($0), escape: escape) }
        }
      }
    ]
  }
}

extension Literal? {
  /// The text of a string literal; the checker lets no other literal through to a `literal` parameter.
  var string: String { if case .string(let text)? = self { text } else { "" } }
}
