import Columns

extension ExpressionEvaluator {
  /// Strings written one after another: `body` appends the bytes of its row.
  func makeStrings<Failure: Error>(
    _ count: Int, _ body: (Int, inout GrowableBuffer) throws(Failure) -> Void
  ) throws(Failure) -> BytesValues {
    var data = GrowableBuffer(byteCapacity: count * 16)
    var offsets = GrowableBuffer(byteCapacity: (count + 1) * MemoryLayout<Int64>.stride)
    offsets.append(Int64(0))
    for row in 0..<count {
      try body(row, &data)
      offsets.append(Int64(data.byteCount))
    }
    return Column(type: .string, count: count, data: data.finish(), offsets: offsets.finish()).bytes
  }

  func concatenate(_ operands: [ExpressionNode], skipsNulls: Bool, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    var vectors: [Vector] = []
    for operand in operands { vectors.append(try evaluate(operand, active)) }
    if !skipsNulls && vectors.contains(where: \.isNullConstant) { return .null(.string) }
    let rowCount = vectors.allSatisfy(\.isConstant) ? 1 : count
    let sources = vectors.map(\.strings)
    let strings = makeStrings(rowCount) { row, target in
      for (vector, source) in zip(vectors, sources) where vector.isValid(row) {
        target.append(bytes: source[source.count == 1 ? 0 : row])
      }
    }
    let valid = skipsNulls ? nil : vectors.reduce(Mask?.none) { intersection($0, $1.valid) }
    return .computed(.string(strings), valid: valid, from: vectors)
  }

  /// The number of code points.
  func length(_ value: Vector) -> Vector {
    let strings = value.strings
    let lengths = Values<Int64>.filled(strings.count) { target in
      for row in 0..<strings.count {
        var codePointCount: Int64 = 0
        // Every byte but a continuation byte (10xxxxxx) starts a code point.
        for byte in strings[row] where byte & 0xC0 != 0x80 { codePointCount += 1 }
        target[row] = codePointCount
      }
      withExtendedLifetime(strings) {}
    }
    return .computed(.int(lengths), valid: value.valid, from: [value])
  }

  /// By Unicode's full case mapping.
  func changeCase(_ value: Vector, isUpper: Bool) -> Vector {
    let strings = value.strings
    let changed = makeStrings(strings.count) { row, target in
      let bytes = strings[row]
      if bytes.allSatisfy({ $0 < 0x80 }) {
        let first = UInt8(ascii: isUpper ? "a" : "A")
        // The letters of ASCII differ from their other case in bit 5 alone.
        for byte in bytes { target.append(byte >= first && byte < first + 26 ? byte ^ 0x20 : byte) }
      } else {
        let string = String(decoding: bytes, as: UTF8.self)
        var other = isUpper ? string.uppercased() : string.lowercased()
        other.withUTF8 { target.append(bytes: UnsafeRawBufferPointer($0)) }
      }
    }
    withExtendedLifetime(strings) {}
    return .computed(.string(changed), valid: value.valid, from: [value])
  }
}
