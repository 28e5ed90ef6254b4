import Columns
import Features

/// A boolean expression over a dataset's columns, as `checkout --where` takes it.
struct Predicate {
  private let expression: CompiledExpression
  var columns: [String] { expression.columns }

  init(_ text: String, schema: Schema) throws(AlmanacError) {
    expression = try AlmanacError.translating { try compileExpression(text, schema: schema, context: "--where") }
    guard expression.resultType == .bool else {
      throw AlmanacError(.failed, "Cannot filter by \(text): expected a bool expression, found \(expression.resultType)")
    }
  }

  /// The rows for which the expression is true (neither false nor null).
  /// - Parameter firstRow: the rows before the batch: an error names the row of the whole table.
  func passing(_ batch: Batch, firstRow: Int) throws(FeatureError) -> Bitmap {
    do {
      let result = try expression.evaluate(batch)
      let bits = result.bits
      return Bitmap((0..<batch.rowCount).map { result.isValid($0) && bits[$0] })
    } catch {
      throw error.after(rowCount: firstRow)
    }
  }

  func filter(_ batch: Batch, firstRow: Int) throws(FeatureError) -> Batch { batch.filter(try passing(batch, firstRow: firstRow)) }
}
