import Columns

extension FunctionCatalog {
  /// Strings of a function grow to this at most, so that no row takes the memory of all.
  private static let byteCountMax = 64 << 20

  static let strings: [String: [Overload]] = [
    "byte_length": [.int([.string]) { Int64($0.bytes(0).count) }],
    "bit_length": [.int([.string]) { Int64($0.bytes(0).count) * 8 }],
    "trim": trim(left: true, right: true), "ltrim": trim(left: true, right: false), "rtrim": trim(left: false, right: true),
    "substring": [
      .string([.string, .int, .int], optional: 1) { row, target in
        let bytes = row.bytes(0)
        let size = CodePoints.count(bytes)
        let start = row.int(1) > 0 ? Int(row.int(1)) - 1 : row.int(1) < 0 ? saturatingSum(size, row.int(1)) : -1
        let end = row.count > 2 ? saturatingSum(start, row.int(2)) : size
        target.append(bytes: CodePoints.slice(bytes, from: min(start, end), to: max(start, row.count > 2 ? end : start, end)))
      }
    ],
    "left": [
      .string([.string, .int]) { row, target in
        let bytes = row.bytes(0)
        let end = row.int(1) >= 0 ? Int(row.int(1)) : saturatingSum(CodePoints.count(bytes), row.int(1))
        target.append(bytes: CodePoints.slice(bytes, from: 0, to: end))
      }
    ],
    "right": [
      .string([.string, .int]) { row, target in
        let bytes = row.bytes(0)
        let size = CodePoints.count(bytes)
        let start = row.int(1) >= 0 ? size - Int(min(row.int(1), Int64(size))) : Int(min(row.int(1).magnitude, UInt64(size)))
        target.append(bytes: CodePoints.slice(bytes, from: start, to: size))
      }
    ],
    "strpos": [
      .int([.string, .string]) { row in
        let bytes = row.bytes(0)
        guard let offset = CodePoints.find(row.bytes(1), in: bytes) else { return 0 }
        return Int64(CodePoints.count(UnsafeRawBufferPointer(rebasing: bytes[0..<offset])) + 1)
      }
    ],
    "contains": [.bool([.string, .string]) { CodePoints.find($0.bytes(1), in: $0.bytes(0)) != nil }],
    "starts_with": [.bool([.string, .string]) { $0.bytes(0).starts(with: $0.bytes(1)) }],
    "ends_with": [.bool([.string, .string]) { $0.bytes(0).suffix($0.bytes(1).count).elementsEqual($0.bytes(1)) }],
    "replace": [
      .string([.string, .string, .string]) { (row, target) throws(KernelFailure) in
        let (bytes, needle, other) = (row.bytes(0), row.bytes(1), row.bytes(2))
        var position = 0
        let start = target.byteCount
        if needle.count > 0 {
          while let found = CodePoints.find(needle, in: bytes, from: position) {
            target.append(bytes: UnsafeRawBufferPointer(rebasing: bytes[position..<found]))
            target.append(bytes: other)
            position = found + needle.count
            try limit(target.byteCount - start, "replace")
          }
        }
        target.append(bytes: UnsafeRawBufferPointer(rebasing: bytes[position...]))
      }
    ],
    "repeat": [
      .string([.string, .int]) { (row, target) throws(KernelFailure) in
        let bytes = row.bytes(0)
        guard bytes.count > 0, row.int(1) > 0 else { return }
        try limit(Int(clamping: Int128(bytes.count) * Int128(row.int(1))), "repeat")
        append(bytes, times: Int(row.int(1)), to: &target)
      }
    ],
    "reverse": [
      .string([.string]) { row, target in
        let bytes = row.bytes(0)
        if bytes.allSatisfy({ $0 < 0x80 }) {
          for byte in bytes.reversed() { target.append(byte) }
        } else {
          var text = String(row.text(0).reversed())
          text.withUTF8 { target.append(bytes: UnsafeRawBufferPointer($0)) }
        }
      }
    ],
    "lpad": [.string([.string, .int, .string]) { (row, target) throws(KernelFailure) in try pad(row, &target, isLeft: true) }],
    "rpad": [.string([.string, .int, .string]) { (row, target) throws(KernelFailure) in try pad(row, &target, isLeft: false) }],
    "split_part": [.string([.string, .string, .int]) { row, target in target.append(bytes: part(row)) }],
    "concat_ws": [
      Overload([.string, .string], .string, isVariadic: true, handlesNulls: true) { (_) throws(FunctionRefusal) in
        .string { row, target in
          guard row.isValid(0) else { return false }
          var isFirst = true
          for argument in 1..<row.count where row.isValid(argument) {
            if !isFirst { target.append(bytes: row.bytes(0)) }
            isFirst = false
            target.append(bytes: row.bytes(argument))
          }
          return true
        }
      }
    ],
    "ascii": [.int([.string]) { row in row.text(0).unicodeScalars.first.map { Int64($0.value) } ?? 0 }],
    "unicode": [.int([.string]) { row in row.text(0).unicodeScalars.first.map { Int64($0.value) } ?? -1 }],
    "chr": [
      .string([.int]) { (row, target) throws(KernelFailure) in
        guard let code = UInt32(exactly: row.int(0)), let scalar = Unicode.Scalar(code) else {
          throw KernelFailure(text: "\(row.int(0)) is no code point")
        }
        for byte in String(Character(scalar)).utf8 { target.append(byte) }
      }
    ],
    "hex": [
      .string([.string]) { row, target in
        for byte in row.bytes(0) {
          target.append(hexDigits[Int(byte >> 4)])
          target.append(hexDigits[Int(byte & 15)])
        }
      },
      .string([.int]) { row, target in
        for byte in String(UInt64(bitPattern: row.int(0)), radix: 16, uppercase: true).utf8 { target.append(byte) }
      },
    ],
    "unhex": [
      .string([.string]) { (row, target) throws(KernelFailure) in
        let digits = row.text(0)
        let padded = Array((digits.utf8.count % 2 == 0 ? digits : "0" + digits).utf8)
        var bytes: [UInt8] = []
        for pair in stride(from: 0, to: padded.count, by: 2) {
          guard let high = Character(Unicode.Scalar(padded[pair])).hexDigitValue,
            let low = Character(Unicode.Scalar(padded[pair + 1])).hexDigitValue
          else { throw KernelFailure(text: "'\(digits.prefix(60))' is not hexadecimal") }
          bytes.append(UInt8(high << 4 | low))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw KernelFailure(text: "'\(digits.prefix(60))' is no UTF-8 text")
        }
        for byte in text.utf8 { target.append(byte) }
      }
    ],
    "levenshtein": [
      .int([.string, .string]) { Int64(CodePoints.editDistance(Array($0.text(0).unicodeScalars), Array($0.text(1).unicodeScalars))) }
    ],
  ]

  private static let hexDigits = Array("0123456789ABCDEF".utf8)

  private static func saturatingSum(_ a: Int, _ b: Int64) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(Int(b))
    return overflow ? (b > 0 ? .max : .min) : sum
  }

  private static func limit(_ byteCount: Int, _ name: String) throws(KernelFailure) {
    guard byteCount <= byteCountMax else { throw KernelFailure(text: "\(name) makes more than \(byteCountMax) bytes") }
  }

  private static func trim(left: Bool, right: Bool) -> [Overload] {
    [
      .string([.string, .string], optional: 1) { row, target in
        let bytes = row.bytes(0)
        var (start, end) = (0, bytes.count)
        if row.count == 1 {
          if left { while start < end && bytes[start] == 0x20 { start += 1 } }
          if right { while end > start && bytes[end - 1] == 0x20 { end -= 1 } }
          return target.append(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
        let unwanted = Set(row.text(1).unicodeScalars)
        var scalars = Substring(row.text(0)).unicodeScalars
        if left { while let first = scalars.first, unwanted.contains(first) { scalars.removeFirst() } }
        if right { while let last = scalars.last, unwanted.contains(last) { scalars.removeLast() } }
        for byte in Substring(scalars).utf8 { target.append(byte) }
      }
    ]
  }

  /// Many copies go in blocks of some kilobytes, so that a long filling costs what copying its bytes does.
  private static func append(_ bytes: UnsafeRawBufferPointer, times count: Int, to target: inout GrowableBuffer) {
    let copyCount = count < 16 ? 1 : min(count, max(1, 4_096 / bytes.count))
    guard copyCount > 1 else {
      for _ in 0..<count { target.append(bytes: bytes) }
      return
    }
    var block: [UInt8] = []
    block.reserveCapacity(copyCount * bytes.count)
    for _ in 0..<copyCount { block.append(contentsOf: bytes) }
    block.withUnsafeBytes { block in
      for _ in 0..<(count / copyCount) { target.append(bytes: block) }
    }
    for _ in 0..<(count % copyCount) { target.append(bytes: bytes) }
  }

  private static func pad(_ row: Row, _ target: inout GrowableBuffer, isLeft: Bool) throws(KernelFailure) {
    let (bytes, filling) = (row.bytes(0), row.bytes(2))
    let size = CodePoints.count(bytes)
    guard row.int(1) > Int64(size) else { return target.append(bytes: CodePoints.slice(bytes, from: 0, to: Int(max(row.int(1), 0)))) }
    let missing = Int(row.int(1)) - size
    let fillingSize = CodePoints.count(filling)
    guard fillingSize > 0 else { throw KernelFailure(text: "\(isLeft ? "lpad" : "rpad") has nothing to pad with") }
    // A code point has at most four bytes.
    try limit(Int(clamping: Int128(missing) * 4), isLeft ? "lpad" : "rpad")
    if !isLeft { target.append(bytes: bytes) }
    append(filling, times: missing / fillingSize, to: &target)
    target.append(bytes: CodePoints.slice(filling, from: 0, to: missing % fillingSize))
    if isLeft { target.append(bytes: bytes) }
  }

  private static func part(_ row: Row) -> UnsafeRawBufferPointer {
    let (bytes, separator, wanted) = (row.bytes(0), row.bytes(1), row.int(2))
    let none = UnsafeRawBufferPointer(rebasing: bytes[0..<0])
    if separator.count == 0 {
      let size = CodePoints.count(bytes)
      let index = wanted > 0 ? wanted - 1 : wanted < 0 ? Int64(size) + wanted : -1
      return (0..<Int64(size)).contains(index) ? CodePoints.slice(bytes, from: Int(index), to: Int(index) + 1) : none
    }
    var pieces: [Range<Int>] = []
    var position = 0
    while let found = CodePoints.find(separator, in: bytes, from: position) {
      pieces.append(position..<found)
      position = found + separator.count
      if wanted > 0 && pieces.count >= wanted { break }
    }
    pieces.append(position..<bytes.count)
    let index = wanted > 0 ? wanted - 1 : wanted < 0 && wanted != .min ? Int64(pieces.count) + wanted : -1
    return (0..<Int64(pieces.count)).contains(index) ? UnsafeRawBufferPointer(rebasing: bytes[pieces[Int(index)]]) : none
  }
}
